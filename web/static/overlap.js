// The live count beside the week of the sign-up form. The server counts; only the sentence comes back.

const PAUSE = 600;

const grid = document.querySelector("availability-grid");
const note = grid?.querySelector("[data-overlap]");
const form = grid?.closest("form");
let waiting;
let asked = 0;

async function ask() {
  const all = new FormData(form);
  if (!all.get("time_zone") || !(all.has("availability") || all.has("if_needed"))) return;
  const week = new FormData();
  for (const name of ["csrf_token", "time_zone", "availability", "if_needed"]) {
    for (const value of all.getAll(name)) week.append(name, value);
  }
  asked += 1;
  const turn = asked;
  try {
    const answer = await fetch(note.dataset.overlap, { method: "POST", body: new URLSearchParams(week) });
    // A slow answer to an older question is of no use; and a count that does not come is no loss.
    if (!answer.ok) return;
    const { text } = await answer.json();
    if (turn !== asked) return;
    note.textContent = text;
    note.classList.add("told"); // from now on it stays in sight
  } catch { /* offline: the form can be filled in all the same */ }
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(ask, PAUSE);
}

if (note) {
  grid.addEventListener("weekchange", soon);
  form.elements.time_zone.addEventListener("change", soon);
  soon();
}

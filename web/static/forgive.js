// Spelling is forgiven: what is typed is compared with the labels a question knows, and the nearest is offered.
// Without this script everything can be typed and ticked as well.

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim().replace(/^(the|an?) (?=\S{3})/, "");

// How many letters to insert, delete, replace or swap with a neighbour until two words are the same.
function edits(a, b) {
  let before = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const last = before;
    before = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], last[j - 2] + 1);
    }
  }
  return row[b.length];
}

function nearest(typed, labels) {
  const wanted = plain(typed);
  if (wanted.length < 3) return null;
  let best = null;
  let least = wanted.length < 5 ? 1 : wanted.length < 9 ? 2 : 3;
  for (const label of labels) {
    if (label === typed) return null;
    const distance = edits(wanted, plain(label));
    if (distance <= least && (best === null || distance < least)) [best, least] = [label, distance];
  }
  return best;
}

const known = (group) => [...group.querySelectorAll("input[type=checkbox][value]:not([name=not_alone]), datalist option")].map((each) => each.value);

// What was meant takes the place of what was typed: a tick where there is one, else the words themselves.
function put(group, input, typed, label) {
  const tick = [...group.querySelectorAll("input[type=checkbox]")].find((each) => each.value === label);
  if (tick) tick.checked = true;
  const pieces = input.tagName === "TEXTAREA" ? input.value.split(/[,;\n]/) : [input.value];
  const kept = pieces.map((piece) => (piece.trim() === typed ? (tick ? "" : label) : piece.trim())).filter(Boolean);
  input.value = kept.join(input.tagName === "TEXTAREA" ? "\n" : "");
  input.focus();
}

function look(group) {
  const note = group.querySelector("[data-meant]");
  const labels = known(group);
  const offers = [];
  for (const input of group.querySelectorAll("[data-forgive]")) {
    const pieces = input.tagName === "TEXTAREA" ? input.value.split(/[,;\n]/) : [input.value];
    for (const typed of pieces.map((piece) => piece.trim()).filter(Boolean)) {
      const label = nearest(typed, labels);
      if (label) offers.push([input, typed, label]);
    }
  }
  note.replaceChildren(...offers.slice(0, 5).map(([input, typed, label]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--quiet button--small";
    button.textContent = note.dataset.words.replace("{label}", label);
    button.addEventListener("click", () => { put(group, input, typed, label); look(group); });
    return button;
  }));
}

for (const input of document.querySelectorAll("[data-forgive]")) {
  const group = input.closest("[data-labels]");
  input.addEventListener("change", () => look(group));
}

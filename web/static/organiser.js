// The organiser's pages: watch a run, keep figures fresh, copy a link. Without this script both still work by hand.

const PAUSE = 1000;
const PATIENCE = 15000;

// <div data-watch="/…/runs/KEY.json"> holds a progress piece and is reloaded when the run has ended.
async function watch(element) {
  let pause = PAUSE;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    let run;
    try {
      const answer = await fetch(element.dataset.watch, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      run = await answer.json();
    } catch {
      pause = Math.min(pause * 2, PATIENCE); // the server restarts, or the connection is gone for a while
      continue;
    }
    pause = PAUSE;
    if (!run.active) return location.reload();
    show(element, run);
  }
}

function show(element, run) {
  const bar = element.querySelector("progress");
  bar.value = run.progress;
  if (run.stage) {
    element.querySelector("[data-label]").textContent = run.stage;
    bar.setAttribute("aria-label", run.stage);
  }
  element.querySelector("[data-percent]").textContent = `${Math.floor(run.progress * 100)} %`;
}

for (const element of document.querySelectorAll("[data-watch]")) watch(element);

// <div data-live="20"> is brought up to date every so many seconds, unless somebody is at work in it.
async function refresh(element) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, element.dataset.live * 1000));
    if (document.hidden || element.contains(document.activeElement)) continue;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok) continue;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (!fresh || fresh.innerHTML === element.innerHTML) continue;
      const open = [...element.querySelectorAll("details")].map((each) => each.open);
      element.innerHTML = fresh.innerHTML;
      element.dataset.live = fresh.dataset.live;
      element.querySelectorAll("details").forEach((each, place) => (each.open = open[place] ?? each.open));
    } catch {
      // the server restarts, or the connection is gone for a while
    }
  }
}

for (const element of document.querySelectorAll("[data-live]")) refresh(element);

// <button data-copy="#field"> copies what the field holds.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
    } catch {
      field.select(); // then Ctrl+C does it
    }
  });
}

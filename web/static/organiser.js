// The organiser's pages: watch a run, copy a link. Without this script both still work by hand.

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

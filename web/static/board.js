// The board of a proposal: learners can be dragged, and cards say what dropping them there would do.
// Without this script the same is done by the buttons, which this only adds to.

const PAUSE = 150;
const PATIENCE = 200; // asked so often, half a minute

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

async function json(address, options = {}) {
  const answer = await fetch(address, { ...options, headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

// <section data-weighing="/…/KEY.json"> is reloaded once the worker has answered.
async function watch(section) {
  for (let times = 0; times < PATIENCE; times++) {
    await pause();
    try {
      if (!(await json(section.dataset.weighing)).active) return location.reload();
    } catch {
      // the server restarts, or the connection is gone for a while
    }
  }
}

for (const section of document.querySelectorAll("[data-weighing]")) watch(section);

class Board {
  constructor(form) {
    this.form = form;
    this.zones = [...form.querySelectorAll("[data-cohort]")];
    this.known = new Map(); // what was weighed already, by learner
    for (const seat of form.querySelectorAll("[data-learner]")) {
      seat.draggable = true;
      seat.addEventListener("dragstart", (event) => this.lift(seat, event));
      seat.addEventListener("dragend", () => this.letGo());
      for (const link of seat.querySelectorAll("a")) link.draggable = false; // the person is dragged, not the address
    }
    for (const zone of this.zones) {
      zone.addEventListener("dragover", (event) => this.over(zone, event));
      zone.addEventListener("dragleave", (event) => {
        if (!zone.contains(event.relatedTarget)) zone.classList.remove("over");
      });
      zone.addEventListener("drop", (event) => this.drop(zone, event));
    }
  }

  async lift(seat, event) {
    this.seat = seat;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", seat.dataset.name);
    seat.classList.add("dragged");
    const learner = seat.dataset.learner;
    if (!this.known.has(learner)) this.known.set(learner, this.weigh(learner));
    for (const zone of this.others()) this.tell(zone, this.form.dataset.waiting);
    let answer;
    try {
      answer = await this.known.get(learner);
    } catch {
      this.known.delete(learner);
    }
    if (this.seat === seat) this.show(answer); // they may have let go in the meantime
  }

  others() {
    return this.zones.filter((zone) => !zone.contains(this.seat));
  }

  async weigh(learner) {
    const body = new URLSearchParams({ csrf_token: this.form.elements.csrf_token.value, learner });
    const { page } = await json(this.form.dataset.weigh, { method: "POST", body });
    for (let times = 0; times < PATIENCE; times++) {
      const answer = await json(`${page}.json`);
      if (!answer.active) return { page, effects: new Map(answer.effects.map((each) => [each.to, each])) };
      await pause();
    }
    throw new Error("nobody answers");
  }

  show(answer) {
    this.answer = answer;
    for (const zone of this.others()) {
      const effect = answer?.effects.get(zone.dataset.cohort);
      if (!effect) this.tell(zone, this.form.dataset.ask);
      else if (effect.breaks.length) this.tell(zone, `${effect.breaks.join(". ")}.`, "breaks");
      else this.tell(zone, effect.words, effect.gains ? "good" : "less");
    }
  }

  tell(zone, words, kind = "") {
    const line = zone.querySelector("[data-effect]");
    line.textContent = words;
    line.className = `effect small${kind && ` effect--${kind}`}`;
    line.hidden = false;
  }

  over(zone, event) {
    if (!this.seat || zone.contains(this.seat)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    zone.classList.add("over");
  }

  // What was shown on the card is done at once; what was not, or breaks a rule, is shown on its own page first.
  drop(zone, event) {
    if (!this.seat || zone.contains(this.seat)) return;
    event.preventDefault();
    const to = zone.dataset.cohort;
    const effect = this.answer?.effects.get(to);
    if (effect && !effect.breaks.length) this.send(this.answer.page, { to, seen: this.form.dataset.seen });
    else this.send(this.form.dataset.weigh, { learner: this.seat.dataset.learner, cohort: to });
  }

  letGo() {
    this.seat?.classList.remove("dragged");
    this.seat = this.answer = null;
    for (const zone of this.zones) {
      zone.classList.remove("over");
      zone.querySelector("[data-effect]").hidden = true;
    }
  }

  send(action, values) {
    const form = Object.assign(document.createElement("form"), { method: "post", action, hidden: true });
    const fields = { csrf_token: this.form.elements.csrf_token.value, ...values };
    for (const [name, value] of Object.entries(fields)) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    document.body.append(form);
    form.submit();
  }
}

for (const form of document.querySelectorAll("[data-board]")) new Board(form);

// The week of the sign-up form: a table of checkboxes that can be painted by mouse, pen, finger and keyboard.
// Whatever the way, what is posted are the checkboxes: those of this table for free hours, and those of a second
// table, hidden here, for hours that would do if needed. Without this script both work by themselves.

const SLOTS_A_DAY = 48;
const WEEKDAYS = [0, 1, 2, 3, 4];
const NOT = 0;
const FREE = 1;
const MAYBE = 2;
const BRUSHES = { free: FREE, maybe: MAYBE, clear: NOT };
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const DAYTIME = [16, 44];

const dayOf = (slot) => Math.floor(slot / SLOTS_A_DAY);
const rowOf = (slot) => slot % SLOTS_A_DAY;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

class AvailabilityGrid extends HTMLElement {
  connectedCallback() {
    this.words = JSON.parse(this.dataset.words);
    const named = (name) => [...this.querySelectorAll(`input[name=${name}]`)].sort((a, b) => a.value - b.value);
    this.cells = named("availability");
    this.maybes = named("if_needed");
    this.labels = this.cells.map((cell) => cell.ariaLabel);
    // The days in the order of the page, which starts the week where its readers do.
    this.days = [...this.querySelector("tbody tr").querySelectorAll("input")].map((cell) => dayOf(Number(cell.value)));
    this.names = [...this.querySelectorAll("thead")[0].querySelectorAll(".roomy")].map((name) => name.textContent);
    this.past = [];
    this.now = this.read();
    this.write(this.now);
    const first = this.now.findIndex((state) => state !== NOT);
    this.moveTo(first < 0 ? this.at(0, 36) : first);
    this.addEventListener("keydown", (event) => this.onKey(event));
    this.addEventListener("keyup", (event) => event.key === "Shift" && this.endRange());
    this.addEventListener("focusout", (event) => this.contains(event.relatedTarget) || this.endRange());
    this.addEventListener("focusin", (event) => this.isCell(event.target) && this.moveTo(Number(event.target.value)));
    this.addEventListener("change", (event) => this.isCell(event.target) && this.onTick(Number(event.target.value)));
    this.addEventListener("click", (event) => this.onClick(event));
    this.addEventListener("pointerdown", (event) => this.onPress(event));
    addEventListener("pointermove", (event) => this.onDrag(event));
    addEventListener("pointerup", () => this.onRelease());
    addEventListener("pointercancel", () => this.onRelease());
    addEventListener("pageshow", () => this.refresh());
    this.describe();
  }

  // ---- where a slot stands ----

  at(column, row) { return this.days[column] * SLOTS_A_DAY + row; }

  columnOf(slot) { return this.days.indexOf(dayOf(slot)); }

  isCell(target) { return target instanceof HTMLInputElement && target.name === "availability"; }

  // ---- the state of every half hour ----

  get brush() { return BRUSHES[this.querySelector("[name=brush]:checked").value]; }

  read() { return this.cells.map((cell, slot) => (cell.checked ? FREE : this.maybes[slot].checked ? MAYBE : NOT)); }

  write(states) {
    states.forEach((state, slot) => {
      const cell = this.cells[slot];
      cell.checked = state === FREE;
      cell.indeterminate = state === MAYBE;
      cell.ariaLabel = state === MAYBE ? fill(this.words.state, { time: this.labels[slot] }) : this.labels[slot];
      this.maybes[slot].checked = state === MAYBE;
    });
  }

  // Take over what others have ticked: the browser after "back", or a draft.
  refresh() {
    const states = this.read();
    this.write(states);
    this.remember();
  }

  // Keep what was there before, for undo, when something has changed.
  remember() {
    const next = this.read();
    if (next.every((state, slot) => state === this.now[slot])) return;
    this.past.push(this.now);
    this.now = next;
    this.changed();
  }

  undo() {
    if (!this.past.length) return;
    this.now = this.past.pop();
    this.write(this.now);
    this.changed();
  }

  changed() {
    this.describe();
    this.dispatchEvent(new CustomEvent("weekchange", { bubbles: true }));
  }

  // What a stroke or a press of Space makes of a half hour: what is so already is taken back.
  stateFor(slot) { return this.now[slot] === this.brush ? NOT : this.brush; }

  // The browser has ticked or unticked one checkbox, by a tap, by Space or for a screen reader.
  onTick(slot) {
    const states = [...this.now];
    states[slot] = this.stateFor(slot);
    this.write(states);
    this.remember();
  }

  // ---- one tab stop; arrows move, shift paints a range from where it began ----

  moveTo(slot) {
    if (this.current !== undefined) this.cells[this.current].tabIndex = -1;
    else this.cells.forEach((cell) => { cell.tabIndex = -1; });
    this.current = slot;
    this.cells[slot].tabIndex = 0;
  }

  onKey(event) {
    if (!this.isCell(event.target) || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key !== "z") return;
      event.preventDefault();
      this.undo();
      return;
    }
    if (["1", "2", "3"].includes(event.key)) {
      this.querySelectorAll("[name=brush]")[event.key - 1].checked = true;
      return;
    }
    const from = Number(event.target.value);
    const to = this.target(from, event.key);
    if (to === undefined) return;
    event.preventDefault();
    if (event.shiftKey) this.range ??= { anchor: from, before: this.now, state: this.brush };
    else this.endRange();
    this.reveal(to);
    this.cells[to].focus();
    if (this.range) this.paint(this.range, to);
  }

  target(from, key) {
    if (key === "Home") return this.at(0, rowOf(from));
    if (key === "End") return this.at(6, rowOf(from));
    if (!(key in STEPS)) return undefined;
    const [columns, rows] = STEPS[key];
    const column = this.columnOf(from) + (getComputedStyle(this).direction === "rtl" ? -columns : columns);
    const row = rowOf(from) + rows;
    return column < 0 || column > 6 || row < 0 || row >= SLOTS_A_DAY ? from : this.at(column, row);
  }

  // Hours that are folded away unfold when somebody walks into them.
  reveal(slot) {
    const folded = this.cells[slot].closest("details");
    if (folded) folded.open = true;
  }

  endRange() {
    if (!this.range) return;
    this.range = undefined;
    this.remember();
  }

  // ---- painting: the rectangle between where a stroke began and where it is now ----

  paint({ anchor, before, state }, to) {
    const states = [...before];
    const [firstColumn, lastColumn] = [this.columnOf(anchor), this.columnOf(to)].sort((a, b) => a - b);
    const [firstRow, lastRow] = [rowOf(anchor), rowOf(to)].sort((a, b) => a - b);
    for (let column = firstColumn; column <= lastColumn; column += 1) {
      for (let row = firstRow; row <= lastRow; row += 1) states[this.at(column, row)] = state;
    }
    this.write(states);
  }

  // A mouse paints at once. A finger or a pen scrolls the page until it is told to paint.
  onPress(event) {
    this.painted = false;
    if (event.pointerType === "pen") this.classList.add("has-pen");
    if (!this.isCell(event.target) || event.button !== 0) return;
    if (event.pointerType !== "mouse" && !this.classList.contains("painting")) return;
    if (event.pointerType !== "mouse") event.target.releasePointerCapture?.(event.pointerId);
    const anchor = Number(event.target.value);
    this.stroke = { anchor, before: this.now, state: this.stateFor(anchor) };
    this.painted = true;
    this.paint(this.stroke, anchor);
  }

  onDrag(event) {
    if (!this.stroke) return;
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const cell = under?.closest("td")?.querySelector("input") ?? under;
    if (this.contains(cell) && this.isCell(cell)) this.paint(this.stroke, Number(cell.value));
  }

  onRelease() {
    if (!this.stroke) return;
    this.stroke = undefined;
    this.remember();
  }

  // ---- buttons ----

  onClick(event) {
    if (this.isCell(event.target)) {
      // A stroke has painted this cell already; a click of its own would take that back.
      if (this.painted && event.detail > 0) event.preventDefault();
      this.painted = false;
      return;
    }
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.fill) this.fill(button.dataset.fill);
    else if ("undo" in button.dataset) this.undo();
    else if ("paint" in button.dataset) button.setAttribute("aria-pressed", String(this.classList.toggle("painting")));
    else if (button.name === "whole_week") this.answerWhole(event, button.value);
  }

  fill(how) {
    const states = [...this.now];
    const all = (days, first, last) => days.forEach((day) => states.fill(this.brush, day * SLOTS_A_DAY + first, day * SLOTS_A_DAY + last));
    if (how === "evenings") all(WEEKDAYS, 36, 42);
    if (how === "weekends") all([5, 6], 18, 42);
    if (how === "nothing") states.fill(NOT);
    if (how === "copy") WEEKDAYS.slice(1).forEach((day) => states.splice(day * SLOTS_A_DAY, SLOTS_A_DAY, ...states.slice(0, SLOTS_A_DAY)));
    this.write(states);
    this.remember();
  }

  // ---- the whole week is not the same as nothing, and seldom what is meant: asked once ----

  get isWhole() { return this.now.every((state) => state === FREE); }

  // Without script these two buttons send the form.
  answerWhole(event, answer) {
    event.preventDefault();
    if (answer === "yes") this.meantWhole().disabled = false;
    else {
      const [first, last] = DAYTIME;
      this.write(this.now.map((state, slot) => (rowOf(slot) >= first && rowOf(slot) < last ? state : NOT)));
      this.remember();
    }
    this.describe();
    this.cells[this.current].focus();
  }

  meantWhole() {
    const known = this.querySelector("input[name=whole_week]");
    if (known) return known;
    const made = Object.assign(document.createElement("input"), { type: "hidden", name: "whole_week", value: "yes", disabled: true });
    this.append(made);
    return made;
  }

  // What keeps this step from being done, in words; empty when nothing does.
  get problem() {
    if (this.now.every((state) => state === NOT)) return this.words.nothing;
    return this.question ? this.words.whole : "";
  }

  // The box that asks about the whole week, while it asks.
  get question() { return this.isWhole && this.meantWhole().disabled ? this.querySelector("[data-whole]") : null; }

  // ---- the week in words, below the grid; screen readers hear it once a change is done ----

  describe() {
    this.querySelector("[data-undo]").disabled = !this.past.length;
    this.querySelector("[data-whole]").hidden = !this.question;
    for (const fold of this.querySelectorAll("[data-fold]")) {
      const marked = [...fold.querySelectorAll("input")].filter((cell) => this.now[cell.value] !== NOT).length;
      const note = fold.querySelector("[data-inside]");
      note.hidden = !marked;
      note.textContent = fill(this.words.inside, { hours: marked / 2 });
    }
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      const text = this.querySelector("[data-free]");
      text.hidden = false;
      text.textContent = this.inWords();
    }, 250);
  }

  inWords() {
    const parts = [[FREE, "free"], [MAYBE, "maybe"]].filter(([state]) => this.now.includes(state)).map(([state, word]) => {
      const hours = this.now.filter((each) => each === state).length / 2;
      return fill(this.words[word], { hours, times: this.times(state) });
    });
    if (!parts.length) return this.words.none;
    if (!this.isLongEnough()) parts.push(fill(this.words.brief, { minutes: this.dataset.minutes }));
    return parts.join(". ");
  }

  // Whether a meeting fits somewhere; Sunday night runs into Monday.
  isLongEnough() {
    const needed = Math.ceil(this.dataset.minutes / 30);
    const size = this.now.length;
    return this.now.some((_, slot) => Array.from({ length: needed }, (_each, k) => this.now[(slot + k) % size]).every((state) => state !== NOT));
  }

  times(state) {
    const days = this.days.map((day, column) => [this.names[column], this.stretches(day, state)]).filter(([, stretches]) => stretches.length);
    return days.map(([name, stretches]) => `${name} ${stretches.join(", ")}`).join("; ");
  }

  stretches(day, state) {
    const found = [];
    const has = (row) => row < SLOTS_A_DAY && this.now[day * SLOTS_A_DAY + row] === state;
    for (let row = 0; row < SLOTS_A_DAY; row += 1) {
      if (!has(row)) continue;
      const start = row;
      while (has(row + 1)) row += 1;
      found.push(`${this.words.clocks[start]}–${this.words.clocks[row + 1]}`);
    }
    return found;
  }
}

customElements.define("availability-grid", AvailabilityGrid);

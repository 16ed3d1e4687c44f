// The week of the sign-up form: a table of checkboxes that can be painted by mouse, pen, finger and keyboard.
// Whatever the way, what is posted are the checkboxes; without this script they work by themselves.

const SLOTS_A_DAY = 48;
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const WEEKDAYS = [0, 1, 2, 3, 4];
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const dayOf = (slot) => Math.floor(slot / SLOTS_A_DAY);
const rowOf = (slot) => slot % SLOTS_A_DAY;
const slotAt = (day, row) => day * SLOTS_A_DAY + row;
const clock = (row) => `${String(Math.floor(row / 2)).padStart(2, "0")}:${row % 2 ? "30" : "00"}`;

class AvailabilityGrid extends HTMLElement {
  connectedCallback() {
    this.cells = [];
    for (const cell of this.querySelectorAll("input[name=availability]")) this.cells[Number(cell.value)] = cell;
    this.past = [];
    this.now = this.read();
    this.moveTo(this.now.size ? Math.min(...this.now) : slotAt(0, 36));
    this.addEventListener("keydown", (event) => this.onKey(event));
    this.addEventListener("keyup", (event) => event.key === "Shift" && this.endRange());
    this.addEventListener("focusout", (event) => this.contains(event.relatedTarget) || this.endRange());
    this.addEventListener("focusin", (event) => this.isCell(event.target) && this.moveTo(Number(event.target.value)));
    this.addEventListener("change", (event) => this.isCell(event.target) && this.remember());
    this.addEventListener("click", (event) => this.onClick(event));
    this.addEventListener("pointerdown", (event) => this.onPress(event));
    addEventListener("pointermove", (event) => this.onDrag(event));
    addEventListener("pointerup", () => this.onRelease());
    addEventListener("pointercancel", () => this.onRelease());
    addEventListener("pageshow", () => this.remember());
    this.describe();
  }

  isCell(target) { return target instanceof HTMLInputElement && target.name === "availability"; }

  read() { return new Set(this.cells.flatMap((cell, slot) => (cell.checked ? [slot] : []))); }

  write(slots) { this.cells.forEach((cell, slot) => { cell.checked = slots.has(slot); }); }

  // Keep what was there before, for undo, when something has changed.
  remember() {
    const next = this.read();
    if (next.size === this.now.size && [...next].every((slot) => this.now.has(slot))) return;
    this.past.push(this.now);
    this.now = next;
    this.describe();
  }

  undo() {
    if (!this.past.length) return;
    this.now = this.past.pop();
    this.write(this.now);
    this.describe();
  }

  // ---- one tab stop; arrows move, shift paints a range from where it began ----

  moveTo(slot) {
    if (this.current !== undefined) this.cells[this.current].tabIndex = -1;
    else this.cells.forEach((cell) => { cell.tabIndex = -1; });
    this.current = slot;
    this.cells[slot].tabIndex = 0;
  }

  onKey(event) {
    if (!this.isCell(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const from = Number(event.target.value);
    const to = this.target(from, event.key);
    if (to === undefined) return;
    event.preventDefault();
    if (event.shiftKey) this.range ??= { anchor: from, before: this.read(), mark: true };
    else this.endRange();
    this.reveal(to);
    this.cells[to].focus();
    if (this.range) this.paint(this.range, to);
  }

  target(from, key) {
    if (key === "Home") return slotAt(0, rowOf(from));
    if (key === "End") return slotAt(6, rowOf(from));
    if (!(key in STEPS)) return undefined;
    const [days, rows] = STEPS[key];
    const day = dayOf(from) + days;
    const row = rowOf(from) + rows;
    return day < 0 || day > 6 || row < 0 || row >= SLOTS_A_DAY ? from : slotAt(day, row);
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

  paint({ anchor, before, mark }, to) {
    const slots = new Set(before);
    const [firstDay, lastDay] = [dayOf(anchor), dayOf(to)].sort((a, b) => a - b);
    const [firstRow, lastRow] = [rowOf(anchor), rowOf(to)].sort((a, b) => a - b);
    for (let day = firstDay; day <= lastDay; day += 1) {
      for (let row = firstRow; row <= lastRow; row += 1) {
        if (mark) slots.add(slotAt(day, row));
        else slots.delete(slotAt(day, row));
      }
    }
    this.write(slots);
  }

  onPress(event) {
    this.painted = false;
    if (!this.isCell(event.target) || event.button !== 0) return;
    if (event.pointerType === "touch" && !this.classList.contains("painting")) return;
    if (event.pointerType === "touch") event.target.releasePointerCapture?.(event.pointerId);
    const anchor = Number(event.target.value);
    this.stroke = { anchor, before: this.read(), mark: !event.target.checked };
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
  }

  fill(how) {
    const slots = this.read();
    const add = (days, first, last) => days.forEach((day) => { for (let row = first; row < last; row += 1) slots.add(slotAt(day, row)); });
    if (how === "evenings") add(WEEKDAYS, 36, 42);
    if (how === "weekends") add([5, 6], 18, 42);
    if (how === "clear") slots.clear();
    if (how === "copy") {
      for (const day of WEEKDAYS.slice(1)) {
        for (let row = 0; row < SLOTS_A_DAY; row += 1) {
          if (slots.has(row)) slots.add(slotAt(day, row));
          else slots.delete(slotAt(day, row));
        }
      }
    }
    this.write(slots);
    this.remember();
  }

  // ---- the week in words, below the grid; screen readers hear it once a change is done ----

  describe() {
    this.querySelector("[data-undo]").disabled = !this.past.length;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      const text = this.querySelector("[data-free]");
      text.hidden = false;
      text.textContent = this.now.size ? `Free ${this.now.size / 2} h a week: ${this.words()}` : "No time is marked yet.";
    }, 250);
  }

  words() {
    const days = DAYS.map((name, day) => [name, this.stretches(day)]).filter(([, stretches]) => stretches.length);
    return days.map(([name, stretches]) => `${name} ${stretches.join(", ")}`).join("; ");
  }

  stretches(day) {
    const found = [];
    for (let row = 0; row < SLOTS_A_DAY; row += 1) {
      if (!this.now.has(slotAt(day, row))) continue;
      const start = row;
      while (row + 1 < SLOTS_A_DAY && this.now.has(slotAt(day, row + 1))) row += 1;
      found.push(`${clock(start)}–${clock(row + 1)}`);
    }
    return found;
  }
}

customElements.define("availability-grid", AvailabilityGrid);

// What somebody has filled in survives a closed tab, on this device alone and for a week at most. It is offered, not
// shown: the next person at a shared computer may be another one. Names, addresses and whatever is private
// (data-forget of the form, data-private in it) are never kept; signing up clears the rest.

import { locale } from "./locale.js";

const PREFIX = "cohorts.draft.";
const DAYS = 7;
const PAUSE = 400;

let store;
try { store = localStorage; } catch { /* storage is switched off: then there are no drafts */ }

function read(key) {
  try { return JSON.parse(store.getItem(key)); } catch { return null; }
}

function dropOld() {
  for (const key of Object.keys(store).filter((each) => each.startsWith(PREFIX))) {
    const at = read(key)?.at;
    if (!(at > Date.now() - DAYS * 24 * 3600 * 1000)) store.removeItem(key);
  }
}

class Draft {
  constructor(form) {
    this.form = form;
    this.key = PREFIX + form.dataset.draft;
    this.forget = new Set(form.dataset.forget.split(" "));
    this.offer = form.querySelector("[data-offer]");
    const kept = read(this.key);
    // After errors the answers are in the form already.
    if (kept && !document.querySelector("#error-summary")) this.propose(kept);
    for (const kind of ["input", "change", "weekchange"]) form.addEventListener(kind, (event) => this.soon(event));
    form.addEventListener("stepchange", () => this.dirty && this.save());
    addEventListener("pagehide", () => this.dirty && this.save());
  }

  propose(kept) {
    const when = new Intl.DateTimeFormat(locale, { dateStyle: "long" }).format(kept.at);
    const text = this.offer.querySelector("[data-when]");
    text.textContent = text.textContent.replace("{date}", when);
    this.offer.hidden = false;
    this.offer.querySelector("[data-continue]").addEventListener("click", () => this.restore(kept));
    this.offer.querySelector("[data-afresh]").addEventListener("click", () => {
      store.removeItem(this.key);
      this.offer.hidden = true;
      this.form.steps?.go(0);
    });
  }

  controls() {
    return [...this.form.elements].filter((each) => each.name && each.type !== "hidden" && each.type !== "submit" && each.type !== "button" && !this.forget.has(each.name) && !each.closest("[data-private]"));
  }

  // What a control is called in a draft: boxes by their value, the others by their place among those of their name.
  places() {
    const seen = {};
    return this.controls().map((each) => {
      if (each.type === "checkbox" || each.type === "radio") return [each, `${each.name}=${each.value}`];
      seen[each.name] = (seen[each.name] ?? 0) + 1;
      return [each, `${each.name}#${seen[each.name]}`];
    });
  }

  soon(event) {
    if (this.restoring || this.forget.has(event.target.name)) return;
    this.dirty = true;
    this.offer.hidden = true;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.save(), PAUSE);
  }

  save() {
    // Of somebody who says that they are too young nothing is kept.
    if (this.form.elements.old_enough?.value === "no") { store.removeItem(this.key); return; }
    const values = {};
    for (const [control, place] of this.places()) {
      if (control.type === "checkbox" || control.type === "radio") { if (control.checked) values[place] = true; }
      else if (control.value) values[place] = control.value;
    }
    try {
      store.setItem(this.key, JSON.stringify({ at: Date.now(), step: this.form.steps?.now ?? 0, values }));
    } catch { /* the storage is full: a draft is a comfort, no more */ }
  }

  restore(kept) {
    this.restoring = true;
    for (const [control, place] of this.places()) {
      if (control.type === "checkbox" || control.type === "radio") control.checked = place in kept.values;
      else control.value = kept.values[place] ?? ""; // what was emptied is empty, also where answers were brought along
      control.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.form.querySelector("availability-grid")?.refresh();
    this.form.elements.time_zone?.dispatchEvent(new Event("change", { bubbles: true }));
    this.restoring = false;
    this.dirty = true;
    this.offer.hidden = true;
    this.form.steps?.go(kept.step);
  }
}

if (store) {
  dropOld();
  const signedUp = document.querySelector("[data-signed-up]");
  if (signedUp) store.removeItem(PREFIX + signedUp.dataset.signedUp);
  const form = document.querySelector("form[data-draft]");
  if (form) new Draft(form);
}

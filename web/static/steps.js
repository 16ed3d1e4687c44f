// The sign-up form in small steps, one of its parts each. Without this script it is one page.

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

class Steps {
  constructor(form) {
    this.form = form;
    this.words = JSON.parse(form.dataset.steps);
    this.parts = [...form.querySelectorAll(":scope > .part")];
    this.titles = this.parts.map((part) => part.querySelector(".section-title"));
    this.finish = form.querySelector(":scope > .finish");
    this.build();
    this.show(0);
    addEventListener("popstate", (event) => this.move(event.state?.step ?? 0));
    // After a reload the entries of the steps before this one are still there.
    if (history.state?.step) history.go(-history.state.step);
    else history.replaceState({ step: 0 }, "");
    const wrong = this.parts.findIndex((part) => part.querySelector(".field--wrong"));
    if (wrong > 0) this.climb(wrong);
    form.addEventListener("submit", (event) => this.onSubmit(event), { capture: true });
    form.addEventListener("input", (event) => this.clear(event.target));
    form.addEventListener("change", (event) => this.clear(event.target));
    form.addEventListener("weekchange", (event) => this.clear(event.target));
    document.querySelector("#error-summary")?.addEventListener("click", (event) => this.onSummary(event));
  }

  build() {
    this.count = made("strong");
    this.bar = made("progress", { max: this.parts.length, "aria-hidden": "true" });
    this.progress = made("div", { class: "step-progress", id: "step-progress" }, this.count, this.bar);
    this.back = made("button", { type: "button", class: "button button--quiet" }, this.words.back);
    this.next = made("button", { type: "button", class: "button button--large" });
    this.back.addEventListener("click", () => history.back());
    this.next.addEventListener("click", () => this.forward());
    this.parts[0].before(this.progress);
    this.form.append(made("div", { class: "cluster step-nav" }, this.back, this.next), made("p", { class: "hint small" }, this.words.kept));
    for (const title of this.titles) {
      title.tabIndex = -1;
      title.setAttribute("aria-describedby", "step-progress");
    }
  }

  get isLast() { return this.now === this.parts.length - 1; }

  show(index) {
    this.now = Math.min(Math.max(index, 0), this.parts.length - 1);
    this.parts.forEach((part, each) => { part.hidden = each !== this.now; });
    this.finish.hidden = !this.isLast;
    this.count.textContent = fill(this.words.progress, { now: this.now + 1, all: this.parts.length });
    this.bar.value = this.now + 1;
    this.back.hidden = this.now === 0;
    this.next.hidden = this.isLast;
    if (!this.isLast) this.next.textContent = fill(this.words.next, { title: this.nameOf(this.now + 1) });
    this.form.dispatchEvent(new CustomEvent("stepchange", { detail: this.now }));
  }

  nameOf(index) { return this.titles[index].lastChild.textContent; }

  // Show a step and begin to read it at its heading, unless something in it is to be read first.
  move(index) {
    this.show(index);
    const read = this.thenRead;
    this.thenRead = undefined;
    if (read) { read(); return; }
    this.progress.scrollIntoView({ block: "start" });
    this.titles[this.now].focus({ preventScroll: true });
  }

  // The browser's history holds each step up to the present one, once: its buttons lead where ours do.
  climb(index) {
    for (let step = this.now + 1; step <= index; step += 1) history.pushState({ step }, "");
    this.show(index);
  }

  go(index, thenRead) {
    this.thenRead = thenRead;
    if (index < this.now) history.go(index - this.now);
    else {
      this.climb(index);
      this.move(index);
    }
  }

  forward() {
    if (this.isFine(this.now)) this.go(this.now + 1);
  }

  // Enter in a field goes on to the next step; only the last one sends the form.
  onSubmit(event) {
    const wrong = this.isLast ? this.parts.findIndex((_, index) => this.problems(index).length) : -1;
    if (this.isLast && wrong < 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (this.isLast) this.go(wrong, () => this.isFine(wrong));
    else this.forward();
  }

  onSummary(event) {
    const link = event.target.closest("a[href^='#']");
    const target = link && document.getElementById(link.hash.slice(1));
    const index = this.parts.findIndex((part) => part.contains(target));
    if (index < 0) return;
    event.preventDefault();
    this.go(index, () => {
      target.focus();
      target.scrollIntoView({ block: "center" });
    });
  }

  // ---- what is wrong with a step, at its fields and in words ----

  problems(index) {
    const part = this.parts[index];
    const controls = [...part.querySelectorAll("input, select, textarea")].filter((control) => !control.checkValidity());
    const found = controls.map((control) => [control, this.wordsFor(control)]);
    const grid = part.querySelector("availability-grid");
    if (grid?.problem) found.push([grid, grid.problem]);
    return found;
  }

  wordsFor(control) {
    const { valueMissing, typeMismatch } = control.validity;
    if (valueMissing && control.name in this.words.missing) return this.words.missing[control.name];
    return typeMismatch && control.type === "email" ? this.words.email : control.validationMessage;
  }

  isFine(index) {
    const found = this.problems(index);
    for (const [control, text] of found) if (!control.question) this.complain(control, text);
    if (found.length) this.readFrom(found[0][0]);
    return !found.length;
  }

  complain(control, text) {
    this.clear(control);
    const field = control.closest(".field");
    const owner = control.matches("availability-grid") ? field : control;
    const error = made("div", { class: "error", id: `${owner.id}-problem`, "data-problem": "" }, made("span", { class: "visually-hidden" }, this.words.error), text);
    const isRadio = control.type === "radio";
    (isRadio ? control.closest(".choices") : control).before(error);
    field.classList.add("field--wrong");
    if (owner === control && !isRadio) control.setAttribute("aria-invalid", "true");
    owner.setAttribute("aria-describedby", `${owner.getAttribute("aria-describedby") ?? ""} ${error.id}`.trim());
  }

  clear(control) {
    const field = control.closest(".field");
    const error = field?.querySelector("[data-problem]");
    if (!error) return;
    for (const owner of [field, ...field.querySelectorAll("[aria-describedby]")]) {
      const others = (owner.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== error.id);
      if (others.length) owner.setAttribute("aria-describedby", others.join(" "));
      else owner.removeAttribute("aria-describedby");
    }
    field.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
    error.remove();
    field.classList.remove("field--wrong");
  }

  // The week is taller than a screen: what is wrong with it is read at its top.
  readFrom(control) {
    if (control.question) control.question.querySelector("button").focus();
    else if (control.matches("availability-grid")) {
      const error = control.closest(".field").querySelector("[data-problem]");
      error.tabIndex = -1;
      error.focus();
    } else control.focus();
  }
}

const form = document.querySelector("form[data-steps]");
if (form && form.querySelectorAll(":scope > .part").length > 1) form.steps = new Steps(form);

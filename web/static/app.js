// Small comforts for every page; nothing here is needed to use one.

document.documentElement.classList.add("js");

// After a form came back with errors, start reading at their summary.
document.querySelector("[data-focus]")?.focus();

// A filter above a list: <input data-filter="#rows"> hides the children whose text lacks what was typed.
for (const input of document.querySelectorAll("[data-filter]")) {
  const list = document.querySelector(input.dataset.filter);
  const count = document.querySelector(`[data-filter-count="${input.dataset.filter}"]`);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLocaleLowerCase();
    let shown = 0;
    for (const row of list.children) {
      row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    if (count) count.textContent = count.dataset.shown.replace("{number}", shown);
  });
}

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => document.querySelectorAll("form[data-once]").forEach((form) => delete form.dataset.sent));

// Buttons that print the page.
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());

// The time zone of the sign-up form: guessed from the device, and found by typing.

const field = document.querySelector("[data-zone]");
const select = field?.querySelector("select");
const search = field?.querySelector("#zone-search");

function guess() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (select.value || !zone || !(zone === "UTC" || zone.includes("/"))) return;
  // Browsers know some zones by an older name that is not in the list.
  if (![...select.options].some((option) => option.value === zone)) select.add(new Option(zone.replaceAll("_", " "), zone));
  select.value = zone;
  field.querySelector("[data-guessed]").hidden = false;
}

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").replaceAll("_", " ").toLowerCase();

function find() {
  const wanted = plain(search.value.trim());
  const note = field.querySelector("[data-found]");
  if (!wanted) { note.textContent = ""; return; }
  const options = [...select.options].filter((option) => option.value);
  const found = options.find((option) => plain(option.text).startsWith(wanted)) ?? options.find((option) => plain(`${option.text} ${option.value}`).includes(wanted));
  if (found) select.value = found.value;
  note.textContent = found ? note.dataset.chosen.replace("{city}", found.text) : note.dataset.none;
}

if (select && search) {
  guess();
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

// The time zone of the sign-up form: guessed from the device, found by typing, with the time that it is there.

import { locale } from "./locale.js";

const field = document.querySelector("[data-zone]");
const select = field?.querySelector("select");
const search = field?.querySelector("#zone-search");
const words = field && JSON.parse(field.dataset.zone);

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
  if (found && found.value !== select.value) {
    select.value = found.value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  note.textContent = found ? words.chosen.replace("{city}", found.text) : words.unknown;
}

// The clock tells at once whether the right city is chosen.
function tell() {
  const note = field.querySelector("#time_zone-now");
  try {
    const time = new Intl.DateTimeFormat(locale, { weekday: "long", hour: "2-digit", minute: "2-digit", timeZone: select.value || "none", hourCycle: "h23" }).format();
    note.textContent = words.now.replace("{time}", time);
  } catch {
    note.textContent = ""; // no city yet, or one that this browser does not know
  }
}

if (select && search) {
  guess();
  tell();
  setInterval(tell, 15000);
  select.addEventListener("change", tell);
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

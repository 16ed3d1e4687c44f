// The time zone of the sign-up form: guessed from the device, found by typing, with the time that it is there; and
// the age that is asked about there.

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

const ages = document.querySelector("[data-ages]");

// A "yes" to more years than it takes there holds; any other answer was to another question.
function askAge() {
  const asked = ages.querySelector("[name=age_asked]");
  const zones = Object.entries(JSON.parse(ages.dataset.ages));
  const age = zones.find(([, names]) => names.includes(select.value))?.[0] ?? ages.dataset.elsewhere;
  const [yes, no] = ages.querySelectorAll("[name=old_enough]");
  if (age !== asked.value) {
    if (no.checked || +age > +asked.value) yes.checked = no.checked = false;
    asked.value = age;
    const words = yes.parentElement.querySelector("[data-words]");
    words.textContent = words.dataset.words.replace("{age}", age);
  }
  ages.querySelector("[data-too-young]").hidden = !no.checked;
}

if (select && search) {
  guess();
  tell();
  if (ages) {
    askAge();
    select.addEventListener("change", askAge);
    ages.addEventListener("change", askAge);
  }
  setInterval(tell, 15000);
  select.addEventListener("change", tell);
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

// How dates and times are written: as whoever reads does it, where the page speaks their language.

const spoken = document.documentElement.lang;

export const locale = navigator.languages.find((each) => each.split("-")[0] === spoken.split("-")[0]) ?? spoken;

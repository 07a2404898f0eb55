"use strict";
// Shows what holds every word that is typed; the page is complete without it.
const input = document.querySelector(".filter input");
const output = document.querySelector(".filter output");
const items = [...document.querySelectorAll("[data-text]")];
const groups = [...document.querySelectorAll("[data-group]")];
const nothing = document.querySelector(".nothing");
const open = new Map(groups.map((group) => [group, group.open]));

function filter() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const item of items) {
    const fits = words.every((word) => item.dataset.text.includes(word));
    item.hidden = !fits;
    if (fits && item.matches("li, tr")) shown += 1;
  }
  for (const group of groups) {
    group.hidden = !group.querySelector("[data-text]:not([hidden])");
    if (group.matches("details")) group.open = words.length > 0 ? !group.hidden : open.get(group);
  }
  nothing.hidden = items.some((item) => !item.hidden);
  output.value = words.length > 0 ? `${shown} results` : "";
  const address = new URL(location.href);
  address.hash = words.length > 0 ? `q=${encodeURIComponent(words.join(" "))}` : "";
  history.replaceState(null, "", address);
}

// A link to what can be unfolded unfolds it.
function unfold() {
  const place = document.getElementById(location.hash.slice(1));
  if (place && place.matches("details")) place.open = true;
}
addEventListener("hashchange", unfold);
unfold();

const asked = /^#q=(.*)$/.exec(location.hash);
if (asked) input.value = decodeURIComponent(asked[1]);
document.querySelector(".filter").hidden = false;
input.addEventListener("input", filter);
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== input) {
    event.preventDefault();
    input.focus();
  } else if (event.key === "Escape" && document.activeElement === input) {
    input.value = "";
    filter();
  }
});
if (asked) filter();

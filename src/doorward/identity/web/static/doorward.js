// Small comforts on top of pages that work without any script. Everything is found by data attributes:
//   data-reveals="id"   button that shows and hides the password in the input with that id
//   data-copies="id"    button that copies the text of the element with that id
//   data-opens="id"     button that opens the <dialog> with that id; data-closes closes the one around it
//   data-menu           <details> that closes on Escape and when one looks elsewhere
//   data-side           <details> of the side navigation: closed on a phone
//   data-derives="id"   input that shows, as long as it is empty, the short name made of the text in the input with that id
"use strict";

function settle(root) {
  for (const button of root.querySelectorAll("[data-reveals], [data-copies], [data-opens]")) button.hidden = false;
  if (window.matchMedia("(max-width: 48rem)").matches) {
    for (const side of root.querySelectorAll("details[data-side]")) side.open = false;
  }
}

function reveal(button) {
  const input = document.getElementById(button.dataset.reveals);
  const shown = input.type === "text";
  input.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
  input.focus();
}

async function copy(button) {
  const text = document.getElementById(button.dataset.copies).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.dataset.done = document.body.dataset.copied;
  } catch {
    getSelection().selectAllChildren(document.getElementById(button.dataset.copies));
    button.dataset.done = document.body.dataset.copy;
  }
  setTimeout(() => delete button.dataset.done, 2000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveals], [data-copies], [data-opens], [data-closes]");
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (!button) return;
  if (button.dataset.reveals) reveal(button);
  if (button.dataset.copies) copy(button);
  if (button.dataset.opens) document.getElementById(button.dataset.opens).showModal();
  if ("closes" in button.dataset) button.closest("dialog").close();
});

function shortName(text) {
  const plain = text.normalize("NFKD").replace(/[^\w\s-]/g, "").trim().toLowerCase();
  return plain.replace(/[-\s]+/g, "-").replace(/^[-_]+|[-_]+$/g, "").slice(0, 45);
}

document.addEventListener("input", (event) => {
  const derived = event.target.id && document.querySelector(`[data-derives="${event.target.id}"]`);
  if (derived) derived.placeholder = shortName(event.target.value);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("submit", (event) => {
  // A password is never submitted as visible text: browsers would offer to remember it as such.
  for (const button of event.target.querySelectorAll('[data-reveals][aria-pressed="true"]')) reveal(button);
}, true);

function connection(lost) {
  document.getElementById("connection").hidden = !lost;
}

document.addEventListener("htmx:sendError", () => connection(true));
document.addEventListener("htmx:timeout", () => connection(true));
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) connection(false); });
document.addEventListener("htmx:afterSettle", (event) => {
  settle(document);
  const focus = event.target.querySelector("[aria-invalid], [autofocus]") || event.target;
  focus.focus();
});
settle(document);

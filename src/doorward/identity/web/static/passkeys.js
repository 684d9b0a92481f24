// Passkeys and security keys, by the browser's own functions. An element with data-passkey="get" or "create" holds
// the options (data-passkey-options), a hidden field for the answer, a button, and the sentences for when it fails.
// With data-passkey-conditional passkeys are also offered in the autofill of the user name, without any button.
"use strict";

const passkeys = { waiting: null };

function passkeysWork() {
  const api = window.PublicKeyCredential;
  return Boolean(api && api.parseRequestOptionsFromJSON && api.parseCreationOptionsFromJSON);
}

async function ceremony(box, mediation) {
  if (passkeys.waiting) passkeys.waiting.abort();
  passkeys.waiting = new AbortController();
  const { signal } = passkeys.waiting;
  const options = JSON.parse(box.dataset.passkeyOptions);
  const request = { signal, ...(mediation && { mediation }) };
  const credential = box.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), ...request })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), ...request });
  box.querySelector("[data-passkey-answer]").value = JSON.stringify(credential.toJSON());
  const form = box.closest("form");
  form.noValidate = true;
  form.requestSubmit();
}

// Which sentence of the page (data-passkey-says-…) tells about which error.
const PROBLEMS = {
  NotAllowedError: "passkeySaysCancelled",
  InvalidStateError: "passkeySaysKnown",
  NotSupportedError: "passkeySaysUnable",
  SecurityError: "passkeySaysElsewhere",
};

function tell(box, error) {
  if (error.name === "AbortError" || !box.isConnected) return;
  const problem = box.querySelector("[data-passkey-problem]");
  problem.textContent = box.dataset[PROBLEMS[error.name] || "passkeySaysFailed"];
  problem.hidden = false;
}

async function offer(box) {
  if (box.dataset.offered) return;
  box.dataset.offered = "yes";
  const button = box.querySelector("[data-passkey-button]");
  button.hidden = false;
  for (const excuse of box.querySelectorAll("[data-passkey-unavailable]")) excuse.hidden = true;
  button.addEventListener("click", () => {
    box.querySelector("[data-passkey-problem]").hidden = true;
    ceremony(box).catch((error) => tell(box, error));
  });
  if (!("passkeyConditional" in box.dataset)) return;
  const possible = PublicKeyCredential.isConditionalMediationAvailable;
  if (possible && await PublicKeyCredential.isConditionalMediationAvailable()) {
    // Nobody has asked for anything yet: what goes wrong here is no news.
    ceremony(box, "conditional").catch(() => undefined);
  }
}

function offerPasskeys() {
  if (!passkeysWork()) return;
  for (const box of document.querySelectorAll("[data-passkey]")) offer(box);
}

document.addEventListener("htmx:beforeSwap", () => { if (passkeys.waiting) passkeys.waiting.abort(); });
document.addEventListener("htmx:afterSettle", offerPasskeys);
offerPasskeys();

// Runs the check of a captcha service: reCAPTCHA (v2 and v3), Turnstile, hCaptcha, or whatever has one of their
// functions. The element with data-captcha names the service's script and the site key, and holds a hidden field for
// the answer; the form is sent as soon as there is one.
"use strict";

function captchaBox() {
  return document.querySelector("[data-captcha]");
}

function captchaShow(box, part) {
  for (const name of ["waiting", "problem"]) box.querySelector(`[data-captcha-${name}]`).hidden = name !== part;
}

function captchaAnswered(box, token) {
  box.querySelector("[data-captcha-answer]").value = token;
  captchaShow(box, "waiting");
  box.closest("form").requestSubmit();
}

function captchaRun(box) {
  const { siteKey, interactive, script } = box.dataset;
  const place = box.querySelector("[data-captcha-place]");
  const fail = () => captchaShow(box, "problem");
  const options = {
    sitekey: siteKey,
    callback: (token) => captchaAnswered(box, token),
    "error-callback": fail,
    "expired-callback": fail,
    theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
  };
  const silent = interactive !== "true";
  if (place.clientWidth < 300) options.size = "compact"; // what the services show is 300 pixels wide otherwise
  if (!silent) captchaShow(box, "nothing");
  if (window.turnstile) {
    window.turnstile.render(place, options);
  } else if (window.hcaptcha) {
    const id = window.hcaptcha.render(place, { ...options, ...(silent && { size: "invisible" }) });
    if (silent) window.hcaptcha.execute(id);
  } else if (window.grecaptcha) {
    const api = window.grecaptcha.enterprise || window.grecaptcha;
    const loadedFor = new URL(script).searchParams.get("render");
    api.ready(() => {
      if (loadedFor && loadedFor !== "explicit") {
        api.execute(siteKey, { action: "login" }).then(options.callback, fail);
        return;
      }
      const id = api.render(place, { ...options, ...(silent && { size: "invisible", badge: "inline" }) });
      if (silent) api.execute(id);
    });
  } else {
    fail();
  }
}

function captchaStart() {
  const box = captchaBox();
  if (!box || box.dataset.started) return;
  box.dataset.started = "yes";
  for (const excuse of document.querySelectorAll("[data-captcha-unavailable]")) excuse.hidden = true;
  captchaShow(box, "waiting");
  const script = document.createElement("script");
  script.src = box.dataset.script;
  script.addEventListener("load", () => {
    try { captchaRun(box); } catch { captchaShow(box, "problem"); }
  });
  script.addEventListener("error", () => captchaShow(box, "problem"));
  document.head.append(script);
}

captchaStart();

// Goes on once every application's frame has loaded, or after five seconds: one that hangs holds nobody up.
(function () {
  "use strict";
  var form = document.getElementById("iframe-logout").closest("form");
  var gone = false;
  function on() {
    if (!gone) { gone = true; form.submit(); }
  }
  window.setTimeout(on, 5000);
  // The document's load event waits for its frames.
  if (document.readyState === "complete") on();
  else window.addEventListener("load", on);
})();

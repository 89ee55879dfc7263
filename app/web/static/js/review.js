// One key per decision. Whatever may be done by key carries data-keys in the page; this script
// presses it, so a key can never do what a click could not.

const TYPING = "input, select, textarea, [contenteditable]";
const ANSWERS_SPACE = "a[href], button, summary, [role=button], video, audio";

function isOurs(event) {
  if (event.defaultPrevented || event.isComposing || event.repeat) {
    return false;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return false;
  }
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest(TYPING) || document.querySelector("dialog[open]")) {
    return false;
  }
  // on a focused button the space bar already means that button
  return !(event.key === " " && target.closest(ANSWERS_SPACE));
}

function pressed(event) {
  return event.key === " " ? "space" : event.key.toLowerCase();
}

/** A folded form opens with its first field ready; anything else is pressed. */
function press(element) {
  if (element instanceof HTMLDetailsElement) {
    element.open = true;
    element.querySelector("textarea, select, input:not([type=hidden])")?.focus();
  } else {
    element.click();
  }
}

document.addEventListener("keydown", (event) => {
  if (!isOurs(event)) {
    return;
  }
  const key = pressed(event);
  const element = [...document.querySelectorAll("[data-keys]")].find(
    (candidate) => candidate.dataset.keys.split(" ").includes(key) && !candidate.disabled,
  );
  if (element) {
    event.preventDefault();
    press(element);
  }
});

// Escape leaves the field of a folded form and gives the keys back
document.addEventListener("keydown", (event) => {
  const folded = event.target instanceof Element && event.target.closest("details[data-keys][open]");
  if (event.key === "Escape" && folded && !event.isComposing) {
    folded.open = false;
    folded.querySelector("summary").focus();
  }
});

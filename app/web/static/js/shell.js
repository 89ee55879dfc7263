// What every page of the two faces shares: the token of background requests, what is said when
// one is not answered, and menus that close. Without this script all of it still works by reloading.

const csrfToken = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") {
    event.detail.headers["X-CSRFToken"] = csrfToken;
  }
});

function sayUnanswered() {
  const place = document.getElementById("flashes");
  const template = document.getElementById("notice-unanswered");
  if (!place || !template || place.querySelector("[data-unanswered]")) {
    return;
  }
  const notice = template.content.firstElementChild.cloneNode(true);
  notice.dataset.unanswered = "";
  place.append(notice);
}

function takeBackUnanswered() {
  document.querySelector("#flashes [data-unanswered]")?.remove();
}

document.addEventListener("htmx:responseError", sayUnanswered);
document.addEventListener("htmx:sendError", sayUnanswered);
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.detail.successful !== false) {
    takeBackUnanswered();
  }
});

const openPopovers = () => document.querySelectorAll("details[data-popover][open]");

document.addEventListener("click", (event) => {
  for (const popover of openPopovers()) {
    if (!popover.contains(event.target)) {
      popover.open = false;
    }
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") {
    return;
  }
  for (const popover of openPopovers()) {
    const hadFocus = popover.contains(document.activeElement);
    popover.open = false;
    if (hadFocus) {
      popover.querySelector("summary").focus();
    }
  }
});

// Say once that the page was really shown. Everything can be read without this.

const address = document.querySelector("[data-seen]")?.dataset.seen;
let said = false;

function say() {
  if (said || !address || document.prerendering || document.visibilityState !== "visible") {
    return;
  }
  said = true;
  if (!navigator.sendBeacon?.(address)) {
    fetch(address, { method: "POST", keepalive: true });
  }
}

document.addEventListener("visibilitychange", say);
document.addEventListener("prerenderingchange", say);
say();

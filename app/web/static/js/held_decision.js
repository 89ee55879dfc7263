// A decision is held for five seconds, in which it can be taken back; the next item is there meanwhile.
// What is held lies in this tab alone. It is sent when its time is over, and at once when the reviewer
// leaves the review pages. A tab that dies before that has decided nothing: the item is still open.

const KEY = "held-decisions";
const HELD_MS = 5000;
const bar = document.querySelector("[data-held-bar]");
let goesOn = false;

function held() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function keep(decisions) {
  sessionStorage.setItem(KEY, JSON.stringify(decisions));
}

function without(id) {
  const left = held().filter((one) => one.id !== id);
  keep(left);
  return left;
}

function go(address) {
  goesOn = true;
  window.location.assign(address);
}

function tell(words, kind, links = []) {
  const line = document.createElement("p");
  line.className = `review-held__line review-held__line--${kind}`;
  line.append(words, " ");
  for (const [label, address] of links) {
    const link = document.createElement("a");
    link.href = address;
    link.textContent = label;
    line.append(link);
  }
  bar.append(line);
  bar.hidden = false;
  return line;
}

async function send(decision) {
  without(decision.id);
  try {
    const answer = await fetch(decision.action, {
      method: "POST",
      body: new URLSearchParams(decision.body),
      keepalive: true,
    });
    if (!answer.ok) {
      tell(bar.dataset.refused.replace("{title}", decision.title), "stop", [[bar.dataset.look, decision.back]]);
    }
    showQueueAnew();
  } catch {
    const again = { ...decision, due: Date.now() + HELD_MS };
    keep([...held(), again]);
    tell(bar.dataset.offline, "attention");
    watch(again);
  }
}

/** On the queue, what was decided leaves the list without a reload. */
function showQueueAnew() {
  const results = document.getElementById("results");
  if (results) {
    window.htmx.ajax("GET", window.location.href, { target: results, swap: "innerHTML" });
  }
}

function undo(decision) {
  without(decision.id);
  go(decision.back);
}

/** Show what is held, count down, and send it when its time is over. */
function watch(decision) {
  const line = tell("", "info");
  const words = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "im-button im-button--quiet";
  button.dataset.keys = "u";
  button.setAttribute("aria-keyshortcuts", "U");
  button.textContent = bar.dataset.undo;
  button.addEventListener("click", () => undo(decision));
  line.replaceChildren(words, " ", button);
  const timer = setInterval(() => {
    const left = decision.due - Date.now();
    if (!held().some((one) => one.id === decision.id)) {
      clearInterval(timer);
      line.remove();
    } else if (left <= 0 && document.readyState === "complete") { // the page in front comes first
      clearInterval(timer);
      line.remove();
      send(decision);
    } else {
      words.textContent = decision.words.replace("{left}", Math.ceil(left / 1000));
    }
    bar.hidden = bar.childElementCount === 0;
  }, 200);
  words.textContent = decision.words.replace("{left}", Math.ceil(Math.max(0, decision.due - Date.now()) / 1000));
}

/** The items with the same change that are decided with this one. */
function ticked() {
  return [...document.querySelectorAll("[name=alike]:checked")].map((box) => box.value);
}

function nextOf(form) {
  const waiting = new Set(held().flatMap((one) => [one.id, ...one.alike]));
  const following = JSON.parse(form.dataset.following);
  return following.find(([id]) => !waiting.has(id))?.[1] ?? form.dataset.queue;
}

function isWhole(form) {
  const needsReason = form.elements.outcome.value !== "approve";
  return !needsReason || [...new FormData(form)].some(([name, value]) =>
    (name === "ground" || name === "reason" || name.startsWith("wording.")) && value.trim() !== "");
}

if (bar) {
  for (const form of document.querySelectorAll("form[data-held]")) {
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented || !isWhole(form)) {
        return; // the server says what is missing
      }
      event.preventDefault();
      const body = new FormData(form);
      body.set("held", "1");
      body.delete("alike");
      ticked().forEach((value) => body.append("alike", value));
      const decision = {
        id: form.dataset.held,
        action: form.action,
        body: new URLSearchParams(body).toString(),
        due: Date.now() + HELD_MS,
        title: form.dataset.title,
        words: form.dataset.words,
        alike: ticked().map((value) => value.split(":")[0]),
        back: window.location.href,
      };
      keep([...without(decision.id), decision]);
      go(nextOf(form));
    });
  }

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href]");
    if (link && !link.target && new URL(link.href).pathname.startsWith("/reviews")) {
      goesOn = true;
    }
  });

  // other forms of the item (a pin, a note, a claim) come back to these pages
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented && new URL(event.target.action).pathname.startsWith("/reviews")) {
      goesOn = true;
    }
  });

  window.addEventListener("pagehide", () => {
    if (goesOn) {
      return;
    }
    for (const decision of held()) {
      if (navigator.sendBeacon(decision.action, new URLSearchParams(decision.body))) {
        without(decision.id);
      }
    }
  });

  window.addEventListener("pageshow", () => {
    goesOn = false;
  });

  const count = document.querySelector("[data-alike-count]");
  document.querySelector("[data-alike]")?.addEventListener("change", () => {
    count.textContent = count.textContent.replace(/\d+/, ticked().length + 1);
  });

  held().forEach(watch);
}

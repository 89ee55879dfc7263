// Pointing at the picture: the form of a pin learns the place, in thousandths of the picture.

const form = document.querySelector("[data-pin-form]");

function place(sheet, event) {
  const box = sheet.getBoundingClientRect();
  const share = (at, from, length) => Math.round(Math.min(Math.max((at - from) / length, 0), 1) * 1000);
  return { x: share(event.clientX, box.left, box.width), y: share(event.clientY, box.top, box.height) };
}

function shownAt(sheet, at) {
  const spot = document.querySelector("[data-pin-spot]");
  sheet.append(spot);
  spot.style.setProperty("--pin-x", `${at.x / 10}%`);
  spot.style.setProperty("--pin-y", `${at.y / 10}%`);
  spot.hidden = false;
}

if (form) {
  const fold = form.closest("details");
  fold.addEventListener("toggle", () => document.body.classList.toggle("is-pinning", fold.open));
  for (const sheet of document.querySelectorAll("[data-pin-page]")) {
    sheet.addEventListener("click", (event) => {
      if (!fold.open) {
        return;
      }
      event.preventDefault();
      const at = place(sheet, event);
      form.elements.page.value = sheet.dataset.pinPage;
      form.elements.x.value = at.x;
      form.elements.y.value = at.y;
      form.querySelector("[data-pin-slot]").hidden = true;
      shownAt(sheet, at);
      form.elements.words.focus();
    });
  }
}

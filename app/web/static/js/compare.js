// Two pictures over each other: a slider, which works by key as well, says how much of which is seen.

for (const slider of document.querySelectorAll("[data-compare]")) {
  const frame = slider.closest(".review-compare");
  const show = () => frame.style.setProperty("--compare", `${slider.value}%`);
  slider.addEventListener("input", show);
  show();
}

// Which of several runs is shown.

/** Shows what belongs to a run, and hides the others. */
function showRun(run) {
  for (const block of document.querySelectorAll(".of-run")) {
    block.hidden = block.dataset.run !== String(run);
  }
  for (const choice of document.querySelectorAll("input[name=run]")) {
    choice.checked = choice.value === String(run);
  }
  figures.filter((each) => each.stale).forEach((each) => each.redraw());
  window.dispatchEvent(new Event("resize")); // figures take the width that is there
  workIdly();
}

for (const choice of document.querySelectorAll("input[name=run]")) {
  choice.addEventListener("change", () => showRun(choice.value));
}

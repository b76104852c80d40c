// The part of a widget that runs in the page: names, keys, and what is done to the picture.
//
// JupyterLab's shortcuts also act while a slider or a button has the focus ("x" would cut the
// cell), unless the element itself says not to.

// The slider's own Home and End go to the ends that it had when it was made.
function jump(event) {
  const handle = event.target.closest(".noUi-handle");
  const slider = handle?.closest(".noUi-target").noUiSlider;
  if (!slider || !["Home", "End"].includes(event.key)) return;
  event.stopPropagation();
  event.preventDefault();
  slider.set(slider.options.range[event.key === "Home" ? "min" : "max"]);
}

// Over a picture: frames around what is selected and pointed at, and a line that says what it is.
function touch(model, image) {
  const box = image.parentElement, layer = document.createElement("div");
  const tip = document.createElement("div");
  layer.setAttribute("aria-hidden", "true");
  Object.assign(layer.style, { position: "absolute", pointerEvents: "none" });
  Object.assign(tip.style, {
    position: "absolute", padding: "2px 6px", maxWidth: "70%", zIndex: 1, borderRadius: "3px",
    background: "#222", color: "#fff", fontSize: "12px", lineHeight: "1.4", display: "none",
  });
  Object.assign(box.style, { position: "relative" });
  Object.assign(image.style, { cursor: "crosshair", touchAction: "pan-y" });
  box.append(layer);
  const fit = () => Object.assign(layer.style, {
    left: image.offsetLeft + "px", top: image.offsetTop + "px",
    width: image.offsetWidth + "px", height: image.offsetHeight + "px",
  });
  new ResizeObserver(fit).observe(image);

  const frame = ([left, top, width, height], colour) => {
    const one = document.createElement("div");
    Object.assign(one.style, {
      position: "absolute", outline: "1.5px solid " + colour, borderRadius: "1px",
      left: 100 * left + "%", top: 100 * top + "%",
      width: 100 * width + "%", height: 100 * height + "%",
    });
    return one;
  };
  let at = [0, 0];
  const draw = () => {
    const { text, box: pointed } = model.get("tip");
    layer.replaceChildren(...model.get("marks").map(one => frame(one, "#222")));
    if (!text) return;
    layer.append(frame(pointed, "#b0309a"), tip);
    tip.textContent = text;
    // On the side of the pointer where there is room.
    Object.assign(tip.style, at[0] < 0.5
      ? { left: 100 * at[0] + 2 + "%", right: "auto" }
      : { right: 100 * (1 - at[0]) + 2 + "%", left: "auto" });
    Object.assign(tip.style, { display: "block", top: 100 * at[1] + 2 + "%" });
  };
  model.on("change:marks change:tip", draw);
  draw();

  const place = event => {
    const { left, top, width, height } = image.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  };
  const tell = (trait, places) => { model.set(trait, places); model.save_changes(); };
  let start = null, waits = false;
  const move = () => {
    waits = false;
    tell("hover", start ? [start, at] : [at]);
  };
  image.addEventListener("pointermove", event => {
    at = place(event);
    if (!waits) requestAnimationFrame(move);
    waits = true;
  });
  image.addEventListener("pointerdown", event => {
    if (event.button) return;
    event.preventDefault();  // else the picture itself would be dragged away
    image.setPointerCapture(event.pointerId);
    start = at = place(event);
  });
  image.addEventListener("pointerup", event => {
    // The time makes each one new: the same cells may be selected again.
    if (start) tell("selection", [start, place(event), [Date.now(), 0]]);
    start = null;
  });
  image.addEventListener("pointercancel", () => { start = null; });
  image.addEventListener("pointerleave", () => { if (!start) tell("hover", []); });
}

function render({ model, el }) {
  el.style.display = "none";
  let root = null, observer = null, stopped = false;
  const label = () => {
    if (!root) return;
    for (const control of root.querySelectorAll(".noUi-handle, select, button, input, textarea"))
      control.setAttribute("data-lm-suppress-shortcuts", "true");
    const readings = model.get("readings");
    for (const [cssClass, name] of Object.entries(model.get("names")))
      for (const handle of root.querySelectorAll("." + cssClass + " .noUi-handle")) {
        const text = readings[cssClass] ?? handle.getAttribute("aria-valuetext");
        handle.setAttribute("aria-label", name);
        // Only where it differs: each change of it calls this again.
        if (handle.getAttribute("aria-valuetext") !== text)
          handle.setAttribute("aria-valuetext", text);
      }
    for (const box of root.querySelectorAll("input[type=text], textarea, select[size]")) {
      const title = box.closest("[title]");
      if (title?.title) box.setAttribute("aria-label", title.title);
    }
    root.querySelectorAll(".widget-play button").forEach((button, place) =>
      button.setAttribute("aria-label", ["Play or pause", "Back to the start", "Repeat"][place]));
    for (const image of root.querySelectorAll("img")) image.alt = model.get("words");
    for (const image of root.querySelectorAll(".lstm-explain-touched > img"))
      if (!image.style.cursor) touch(model, image);
  };
  const find = () => {
    root = el.closest("." + model.get("scope"));
    if (!root) { if (!stopped) requestAnimationFrame(find); return; }
    observer = new MutationObserver(label);
    observer.observe(root, {
      childList: true, subtree: true, attributes: true, attributeFilter: ["aria-valuetext"],
    });
    root.addEventListener("keydown", jump, { capture: true });
    label();
  };
  find();
  model.on("change:words change:readings", label);
  return () => { stopped = true; observer?.disconnect(); };
}
export default { render };

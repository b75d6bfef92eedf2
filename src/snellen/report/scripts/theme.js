// The colours of figures: those of the page, which follow the reader's device.

const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** Returns what gives the colour of a role: of the theme, or of the light one for paper. */
function palette(onPaper = false) {
  // The first rule of the page's style has the colours of the light theme.
  const style = onPaper ? document.styleSheets[0].cssRules[0].style
    : getComputedStyle(document.documentElement);
  return (role) => style.getPropertyValue(`--${role}`).trim();
}

/** Returns a specification with colours in place of roles. */
function coloured(value, colourOf) {
  if (typeof value === "string") {
    return value.startsWith("role:") ? colourOf(value.slice(5)) : value;
  }
  if (Array.isArray(value)) {
    return typeof value[0] === "number" ? value : value.map((each) => coloured(each, colourOf));
  }
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value)
      .map(([name, each]) => [name, coloured(each, colourOf)]));
  }
  return value;
}

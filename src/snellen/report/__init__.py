"""Results as pages: HTML, and the charts in it."""

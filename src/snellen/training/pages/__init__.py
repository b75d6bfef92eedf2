"""What the page of a run is made of: markup, charts, sections."""

// A report opened for printing asks the printer as soon as it is drawn.
window.addEventListener("load", () => window.print());

import "umami/tracker";

window.send = (id, filler) => window.umami.track("compared", { id, filler });

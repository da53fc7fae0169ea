package dedup

// OpenOn is Open on another file system.
var OpenOn = openOn

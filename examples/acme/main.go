// Command sparrow is the gateway with every vendor of Sparrow's own, and Acme.
package main

import (
	"example.com/acme/sparrow/acme"

	"github.com/sparrow-edge/sparrow/pkg/app"
	"github.com/sparrow-edge/sparrow/trackers"
)

func main() { app.Main(append(trackers.All(), acme.Kind())...) }

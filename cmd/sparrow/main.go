// Command sparrow is the event gateway with every vendor of this repository.
package main

import (
	"github.com/sparrow-edge/sparrow/pkg/app"
	"github.com/sparrow-edge/sparrow/trackers"
)

func main() { app.Main(trackers.All()...) }

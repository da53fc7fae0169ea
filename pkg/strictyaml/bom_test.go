package strictyaml_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
)

// TestByteOrderMark: editors on Windows write one before a file.
func TestByteOrderMark(t *testing.T) {
	node, err := strictyaml.Parse("a.yaml", []byte("\ufefflisten: x\n"))
	var into struct {
		Listen string `yaml:"listen"`
	}
	if err == nil {
		err = node.Decode(&into)
	}
	if err != nil || into.Listen != "x" {
		t.Errorf("%+v, %v", into, err)
	}
}

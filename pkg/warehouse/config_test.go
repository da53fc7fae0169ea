package warehouse_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

func TestConfigCheck(t *testing.T) {
	if err := warehouse.DefaultConfig().Check(); err != nil {
		t.Errorf("the default configuration: %v", err)
	}
	for key, change := range map[string]func(*warehouse.Config){
		"warehouse.retention": func(c *warehouse.Config) { c.Retention = time.Hour },
		"warehouse.settle":    func(c *warehouse.Config) { c.Settle = -1 },
		"warehouse.interval":  func(c *warehouse.Config) { c.Interval = 0 },
		"warehouse.maxRows":   func(c *warehouse.Config) { c.MaxRows = 0 },
		"warehouse.maxBytes":  func(c *warehouse.Config) { c.MaxBytes = 1 },
		"warehouse.drain":     func(c *warehouse.Config) { c.Drain = -1 },
	} {
		c := warehouse.DefaultConfig()
		change(&c)
		err := c.Check()
		if err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := warehouse.NewLoader(c, warehouse.Options{}); err == nil {
			t.Errorf("%s: a loader was made", key)
		}
	}
	if _, err := warehouse.NewLoader(warehouse.DefaultConfig(), warehouse.Options{}); err == nil {
		t.Error("a loader without a warehouse was made")
	}
}

package plan

import "sync/atomic"

// Holder keeps the plan in force while files change. It is safe for concurrent
// use.
type Holder struct{ current atomic.Pointer[Plan] }

// NewHolder returns a Holder with p in force.
func NewHolder(p *Plan) *Holder {
	h := &Holder{}
	h.current.Store(p)
	return h
}

// Current is the plan in force.
func (h *Holder) Current() *Plan { return h.current.Load() }

// Reload puts the plan of a file in force if it can be loaded and every check
// agrees. Otherwise the last good plan stays, and the error says why.
func (h *Holder) Reload(path string, checks ...func(*Plan) error) error {
	p, err := Load(path)
	if err != nil {
		return err
	}
	for _, check := range checks {
		if err := check(p); err != nil {
			return err
		}
	}
	h.current.Store(p)
	return nil
}

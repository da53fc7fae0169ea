package vendortest

import "sync"

// keepKeys bounds how many keys a Seen remembers.
const keepKeys = 1 << 20

// Seen is the set of keys by which a fake drops repeats. It forgets the oldest
// beyond 1,048,576. The zero value is empty.
type Seen struct {
	mu      sync.Mutex
	keys    map[string]struct{}
	order   []string // a ring once it is full
	oldest  int
	repeats int
}

// Add remembers a key and reports whether it is new.
func (s *Seen) Add(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.keys[key]; known {
		s.repeats++
		return false
	}
	if s.keys == nil {
		s.keys = map[string]struct{}{}
	}
	s.keys[key] = struct{}{}
	if len(s.order) < keepKeys {
		s.order = append(s.order, key)
		return true
	}
	delete(s.keys, s.order[s.oldest])
	s.order[s.oldest] = key
	s.oldest = (s.oldest + 1) % keepKeys
	return true
}

// Repeats is how many keys came more than once.
func (s *Seen) Repeats() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repeats
}

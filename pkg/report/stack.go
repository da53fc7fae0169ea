package report

import (
	"path"
	"runtime"
	"strings"
)

const maxFrames = 32

// frame is one call of a stack. File is the import path and the file's name, as
// with -trimpath, without the directories of the machine that built the program.
type frame struct {
	Package  string
	Function string
	File     string
	Line     int
}

// callers is the stack above the function that calls it, the innermost call first.
func callers() []frame {
	pcs := make([]uintptr, maxFrames)
	pcs = pcs[:runtime.Callers(3, pcs)]
	frames := runtime.CallersFrames(pcs)
	stack := make([]frame, 0, len(pcs))
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			stack = append(stack, newFrame(f))
		}
		if !more {
			return stack
		}
	}
}

func newFrame(f runtime.Frame) frame {
	// "example.com/m/pkg.(*T).Method": the package ends at the first dot after the last slash.
	slash := strings.LastIndexByte(f.Function, '/') + 1
	pkg, function, found := strings.Cut(f.Function[slash:], ".")
	if !found {
		pkg, function = "", f.Function
	}
	pkg = f.Function[:slash] + pkg
	return frame{Package: pkg, Function: function, File: path.Join(pkg, path.Base(strings.ReplaceAll(f.File, `\`, "/"))), Line: f.Line}
}

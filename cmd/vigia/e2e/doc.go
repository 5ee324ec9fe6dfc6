// Package e2e tests the whole binary: it builds vigia once, starts it like an operator would, and watches it from outside.
//
// Each harness is one test function, scaled by flags so that continuous integration runs the small form and a person the large one. The
// package holds tests only.
package e2e

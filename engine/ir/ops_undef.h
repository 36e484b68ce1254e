/* Ends an expansion of ops.def: forget its row macros. Included many times, on purpose. */
#undef OP
#undef SCALAR
#undef INT1
#undef INT2
#undef INT3
#undef BRANCH
#undef VEC

/* For tests, and for watch. */
#ifndef SYMBOL_H
#define SYMBOL_H

/* The name that manual pages give to an errno: "ECONNRESET"; or, for one that the calls of the flow
 * do not give, "errno 200". The text is valid until the next call. */
const char *symbol(int error);

#endif

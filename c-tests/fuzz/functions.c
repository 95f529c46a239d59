#include <stddef.h>
#include "fuzz.h"
#include "table.h"

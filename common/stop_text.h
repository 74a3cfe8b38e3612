/* Sentences for the firmware's stop codes (firmware/stop.h). */
#ifndef PAVISE_COMMON_STOP_TEXT_H
#define PAVISE_COMMON_STOP_TEXT_H

/* A sentence with what happened and what to do; never NULL ("unknown stop code"). */
const char *stop_text(unsigned code);

#endif

/* The page of a report, as it stands in the program: what comes before the data and what after. */
#ifndef LOG_PAGE_PAGE_H
#define LOG_PAGE_PAGE_H

extern const char log_page_head[], log_page_head_end[];
extern const char log_page_tail[], log_page_tail_end[];

#endif

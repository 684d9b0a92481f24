"""Why was this refused, why was that let through, and what does an application receive: answers for administrators."""

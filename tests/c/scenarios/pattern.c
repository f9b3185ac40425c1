/* Names in texts, patterns of answers, places in answers. */
#include "story.h"

char *dump(json_t *value) {
    /* As many digits as every double has: 1234567.89 stays what it is. */
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    CHECK(text != NULL);
    return text;
}

static json_t *find(json_t *kept, const char *name) {
    json_t *value = json_object_get(kept, name);
    if (value == NULL) {
        untold("nothing was kept as %s", name);
    }
    return value;
}

/* Puts the text of what was kept in the place of each ${name}. */
static json_t *named(const char *text, json_t *kept) {
    if (text[0] == '$' && text[1] != '{') {
        return json_incref(find(kept, text + 1));
    }
    size_t room = strlen(text) + 1, length = 0;
    char *out = malloc(room);
    CHECK(out != NULL);
    while (*text) {
        const char *name = strstr(text, "${");
        size_t before = name ? (size_t)(name - text) : strlen(text);
        char *printed = NULL;
        const char *with = "";
        const char *rest = text + before;
        if (name) {
            const char *end = strchr(name, '}');
            char of[64];
            if (end == NULL || (size_t)(end - name - 2) >= sizeof of) {
                untold("a name in %s does not end", text);
            }
            snprintf(of, sizeof of, "%.*s", (int)(end - name - 2), name + 2);
            json_t *value = find(kept, of);
            printed = json_is_string(value) ? NULL : dump(value);
            with = printed ? printed : json_string_value(value);
            rest = end + 1;
        }
        room += strlen(with);
        out = realloc(out, room);
        CHECK(out != NULL);
        memcpy(out + length, text, before);
        memcpy(out + length + before, with, strlen(with));
        length += before + strlen(with);
        free(printed);
        text = rest;
    }
    out[length] = 0;
    json_t *value = json_string(out);
    free(out);
    return value;
}

json_t *filled(json_t *value, json_t *kept) {
    if (json_is_string(value)) {
        return named(json_string_value(value), kept);
    }
    if (json_is_array(value)) {
        json_t *list = json_array(), *one;
        size_t at;
        json_array_foreach(value, at, one) {
            json_array_append_new(list, filled(one, kept));
        }
        return list;
    }
    if (json_is_object(value)) {
        json_t *object = json_object(), *one;
        const char *name;
        json_object_foreach(value, name, one) {
            json_object_set_new(object, name, filled(one, kept));
        }
        return object;
    }
    return json_incref(value);
}

static bool differs(const char *at, json_t *answer, const char *what, json_t *pattern, char *why,
                    size_t room) {
    char *is = dump(answer), *wanted = dump(pattern);
    snprintf(why, room, "%s is %s, %s %s", at, is, what, wanted);
    free(is);
    free(wanted);
    return false;
}

static bool is_list(json_t *answer, const char *at) {
    if (!json_is_array(answer)) {
        char *is = dump(answer);
        untold("%s is %s, not a list", at, is);
    }
    return true;
}

/* Says whether one of a list, at least, matches. */
static bool some(json_t *pattern, json_t *list, const char *at) {
    size_t nr;
    json_t *one;
    char why[256];
    json_array_foreach(list, nr, one) {
        if (matches(pattern, one, at, why, sizeof why)) {
            return true;
        }
    }
    return false;
}

static bool rule(const char *name, json_t *of, json_t *answer, const char *at) {
    char why[256];
    if (strcmp(name, "$any") == 0) {
        return !json_is_null(answer);
    }
    if (strcmp(name, "$min") == 0) {
        return json_is_number(answer) && json_number_value(answer) >= json_number_value(of);
    }
    if (strcmp(name, "$has") == 0) {
        return json_is_string(answer) && json_is_string(of) &&
               strstr(json_string_value(answer), json_string_value(of)) != NULL;
    }
    if (strcmp(name, "$size") == 0) {
        return is_list(answer, at) && json_array_size(answer) == (size_t)json_integer_value(of);
    }
    if (strcmp(name, "$some") == 0) {
        return is_list(answer, at) && some(of, answer, at);
    }
    if (strcmp(name, "$none") == 0) {
        return is_list(answer, at) && !some(of, answer, at);
    }
    if (strcmp(name, "$not") == 0) {
        return !matches(of, answer, at, why, sizeof why);
    }
    untold("there is no pattern %s", name);
}

static bool has_rules(json_t *pattern) {
    const char *name;
    json_t *of;
    json_object_foreach(pattern, name, of) {
        if (name[0] == '$') {
            return true;
        }
    }
    return false;
}

static bool members_match(json_t *pattern, json_t *answer, const char *at, char *why, size_t room) {
    const char *name;
    json_t *of;
    json_object_foreach(pattern, name, of) {
        char below[256];
        snprintf(below, sizeof below, "%s/%s", at, name);
        json_t *there = json_object_get(answer, name);
        if (there == NULL) {
            return differs(below, answer, "is missing in what should be like", pattern, why, room);
        }
        if (!matches(of, there, below, why, room)) {
            return false;
        }
    }
    return true;
}

bool matches(json_t *pattern, json_t *answer, const char *at, char *why, size_t room) {
    if (has_rules(pattern)) {
        const char *name;
        json_t *of;
        json_object_foreach(pattern, name, of) {
            if (!rule(name, of, answer, at)) {
                return differs(at, answer, "which does not meet", pattern, why, room);
            }
        }
        return true;
    }
    if (json_is_object(pattern) && json_is_object(answer)) {
        return members_match(pattern, answer, at, why, room);
    }
    if (json_is_array(pattern) && json_array_size(pattern) == json_array_size(answer) &&
        json_is_array(answer)) {
        size_t nr;
        json_t *of;
        json_array_foreach(pattern, nr, of) {
            char below[256];
            snprintf(below, sizeof below, "%s/%zu", at, nr);
            if (!matches(of, json_array_get(answer, nr), below, why, room)) {
                return false;
            }
        }
        return true;
    }
    bool numbers = json_is_number(pattern) && json_is_number(answer);
    if (numbers ? json_number_value(pattern) == json_number_value(answer)
                : json_equal(pattern, answer)) {
        return true;
    }
    return differs(at, answer, "not", pattern, why, room);
}

json_t *part(json_t *answer, const char *pointer) {
    while (answer != NULL && *pointer == '/') {
        size_t length = strcspn(pointer + 1, "/");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)length, pointer + 1);
        answer = json_is_array(answer) ? json_array_get(answer, strtoul(name, NULL, 10))
                                       : json_object_get(answer, name);
        pointer += 1 + length;
    }
    return answer;
}

"""A person without a browser: reads pages and sends their forms back, hidden fields and all."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """The first form of a page, or the one with that id: its action and its fields as they are prefilled."""

    def __init__(self, html, form_id):
        super().__init__()
        self.action = None
        self.fields = {}
        self._wanted = form_id
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form" and self.action is None and self._wanted in {None, given.get("id")}:
            self.action, self._inside = given["action"], True
        elif tag in {"input", "textarea"} and self._inside:
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False


class Person:
    """Somebody at the desk."""

    def __init__(self, client):
        self.client = client

    def get(self, path):
        return self.client.get(path)

    def page(self, path):
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, (answer.status_code, path)
        return answer.text

    def form(self, path, form_id):
        return Form(self.page(path), form_id)

    def post_form(self, path, form_id, **fields):
        form = self.form(path, form_id)
        assert form.action is not None, f"no form {form_id} on {path}"
        return self.client.post(form.action, data={**form.fields, **fields})

    def search(self, query):
        return self.client.post("/search", data={**self.form("/", None).fields, "query": query}, follow_redirects=True)

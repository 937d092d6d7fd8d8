from reconcile.sandbox.html_form import read_page

PAGE = """
<a href="/elsewhere">x</a>
<a data-incident href="/incidents/7">Panne</a><a data-incident href="/incidents/9">Autre</a>
<form id="search" action="/search"><input name="q"></form>
<form id="propose" method="post" action="/incidents/7/propose">
  <input type="hidden" name="csrf_token" value="t&amp;t">
  <input name="max_count" value="12"><input type="checkbox" name="off"><input type="checkbox" name="on" checked>
  <textarea name="cause">Panne de 13h45
</textarea>
  <select name="product"><option value="a">A</option><option value="b" selected>B</option></select>
  <input type="submit" name="go" value="Go"><button name="b">OK</button>
</form>
<input name="outside" value="x">
"""


def test_links_are_found_by_their_mark():
    assert read_page(PAGE).links == {"incident": ["/incidents/7", "/incidents/9"]}


def test_a_form_has_its_fields_as_they_are_prefilled():
    form = read_page(PAGE).form("propose")
    assert form.action == "/incidents/7/propose"
    assert form.fields == {
        "csrf_token": "t&t",
        "max_count": "12",
        "on": "on",
        "cause": "Panne de 13h45\n",
        "product": "b",
    }


def test_a_form_that_is_not_there_is_none():
    assert read_page(PAGE).form("approve") is None

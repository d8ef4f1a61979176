"""The URLs of the tests' Django site: what a test mounted."""

urlpatterns = []


class Nobody:
    """A permission of Django REST framework that nobody has."""

    def has_permission(self, request, view):
        return False

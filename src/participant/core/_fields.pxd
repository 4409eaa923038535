# What kernels read of frozen structs: the fields where they lie, without a tuple or a look-up by name for each.

from cpython.object cimport PyObject, PyTypeObject

cdef extern from "structmember.h":
    const int T_OBJECT_EX
    ctypedef struct PyMemberDef:
        int type
        Py_ssize_t offset

cdef extern from "Python.h":
    PyTypeObject PyMemberDescr_Type
    PyTypeObject* Py_TYPE(object of)
    ctypedef struct PyMemberDescrObject:
        PyMemberDef* d_member

cdef inline Py_ssize_t place_of(object kind, str name) except -1:
    """Where the values of a struct's type have a field; ImportError, so that a twin serves, where it is kept otherwise."""
    member = kind.__dict__[name]
    if Py_TYPE(member) is not &PyMemberDescr_Type:
        raise ImportError(f"{name} of {kind} is no field that lies in its values")
    if (<PyMemberDescrObject*>member).d_member.type != T_OBJECT_EX:
        raise ImportError(f"{name} of {kind} is no field of objects")
    return (<PyMemberDescrObject*>member).d_member.offset

cdef inline object field(object of, Py_ssize_t place):
    """The field of a value, which is of the type that the place was found of: the caller has seen to that."""
    cdef PyObject* found = (<PyObject**>((<char*><PyObject*>of) + place))[0]
    if found is NULL:
        raise AttributeError("a field was never set")
    return <object>found

cdef inline long long number(object value, long long most) except? -1:
    """A whole number; OverflowError beyond `most` either way, and the twin takes it."""
    cdef long long found = value
    if found > most or found < -most:
        raise OverflowError("a number of a quote is beyond all measure")
    return found

cdef inline long long number_at(object of, Py_ssize_t place, long long most) except? -1:
    """The whole number in a field of a value."""
    return number(field(of, place), most)

// Uses the module.
import uring;

int main()
{
    return nop();
}

import java.io.PrintStream;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.runner.Description;
import org.junit.runner.JUnitCore;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;

/**
 * Runs JUnit classes and says in a few lines how they went.
 *
 * <p>usage: java -cp ... RunTests CLASS...
 *
 * <p>A class that passes is a line, a failure its message and the part of its trace that is ours. The last line has the
 * form of cargo's, "test result: ok. 5 passed; 0 failed; 1 ignored", so that one script can sum both. A test with a
 * failed assumption is ignored, with its reason. Standard output is swallowed while a class passes and shown when not:
 * the platform's log goes there. A test that hangs is reported with every thread's stack, and ends the run.
 */
public final class RunTests extends RunListener {
    /** A call through the real core takes a few seconds; the first test on a platform unpacks that platform first. */
    private static final long LONGEST_TEST_MS = 180_000;

    private static final int LONGEST_TRACE = 12;

    private final PrintStream out = System.out;
    private final java.io.ByteArrayOutputStream said = new java.io.ByteArrayOutputStream();
    private int passed, failed, ignored;
    private String inClass = "";
    private int ofClass;
    private long began;
    private boolean bad;
    private volatile Description running;
    private volatile long since;

    public static void main(String[] names) throws ReflectiveOperationException {
        RunTests run = new RunTests();
        List<Class<?>> classes = new ArrayList<>();
        for (String name : names) {
            Class<?> found = Class.forName(name);
            if (!Modifier.isAbstract(found.getModifiers())) classes.add(found);
        }
        System.setOut(new PrintStream(run.said, true));
        Thread watch = new Thread(run::watch, "watch");
        watch.setDaemon(true);
        watch.start();
        JUnitCore core = new JUnitCore();
        core.addListener(run);
        for (Class<?> one : classes) core.run(one);
        run.endOfClass();
        boolean good = run.failed == 0;
        run.out.printf("test result: %s. %d passed; %d failed; %d ignored%n",
                good ? "ok" : "FAILED", run.passed, run.failed, run.ignored);
        run.out.flush();
        Runtime.getRuntime().halt(good ? 0 : 1); // a thread that a test left behind must not keep the run alive
    }

    @Override
    public void testStarted(Description test) {
        enter(test);
        bad = false;
        since = System.nanoTime();
        running = test;
    }

    @Override
    public void testFailure(Failure failure) {
        enter(failure.getDescription());
        bad = true;
        failed++;
        out.printf("FAILED %s%n", failure.getDescription().getDisplayName());
        out.println(indented(trace(failure.getException())));
        if (said.size() > 0) out.println(indented(said.toString().strip()));
        said.reset();
        if (running == null) return; // the class itself, before any test
    }

    @Override
    public void testAssumptionFailure(Failure failure) {
        bad = true;
        ignored++;
        out.printf("ignored %s: %s%n", failure.getDescription().getDisplayName(), failure.getMessage());
    }

    @Override
    public void testIgnored(Description test) {
        enter(test);
        ignored++;
        out.printf("ignored %s%n", test.getDisplayName());
    }

    @Override
    public void testFinished(Description test) {
        running = null;
        ofClass++;
        if (!bad) passed++;
        said.reset();
    }

    private void enter(Description test) {
        if (inClass.equals(test.getClassName())) return;
        endOfClass();
        inClass = test.getClassName();
        ofClass = 0;
        began = System.nanoTime();
    }

    private void endOfClass() {
        if (ofClass > 0) out.printf("%s: %d run in %.1f s%n", inClass, ofClass, (System.nanoTime() - began) / 1e9);
    }

    private void watch() {
        try {
            while (true) {
                Thread.sleep(1000);
                Description test = running;
                if (test == null || System.nanoTime() - since < LONGEST_TEST_MS * 1_000_000) continue;
                out.printf("FAILED %s: not done after %d s%n", test.getDisplayName(), LONGEST_TEST_MS / 1000);
                for (Map.Entry<Thread, StackTraceElement[]> each : Thread.getAllStackTraces().entrySet()) {
                    out.println("    thread " + each.getKey().getName());
                    Arrays.stream(each.getValue()).limit(LONGEST_TRACE).forEach(at -> out.println("        at " + at));
                }
                out.printf("test result: FAILED. %d passed; %d failed; %d ignored%n", passed, failed + 1, ignored);
                out.flush();
                Runtime.getRuntime().halt(1);
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    private static String trace(Throwable thrown) {
        StringBuilder text = new StringBuilder();
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            text.append(each == thrown ? "" : "\ncaused by ").append(each);
            Arrays.stream(each.getStackTrace())
                    .filter(at -> !at.getClassName().matches("(org\\.junit|org\\.robolectric|java|jdk|sun)\\..*"))
                    .limit(LONGEST_TRACE)
                    .forEach(at -> text.append("\n    at ").append(at));
        }
        return text.toString();
    }

    private static String indented(String text) {
        return text.indent(4).stripTrailing();
    }
}

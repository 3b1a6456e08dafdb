import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Makes what the SDK would bring of a platform, out of two published jars: {@code android.jar}, the public API with
 * empty bodies, and {@code data/api-versions.xml}, which lint's NewApi check reads.
 *
 * <p>usage: java -cp ASM.jar PublicApi.java R8.jar ANDROID-ALL.jar FOLDER
 *
 * <p>Source: R8 carries a table of every public class and member with the API level that brought it
 * ({@code AndroidApiDataAccess} in its sources). Robolectric's android-all has the whole platform, hidden parts too, but
 * nothing of {@code java.*}: of that, what the table names is taken from the JDK that runs this.
 *
 * <p>Does not know when a class came to extend or implement another, nor the annotations that the SDK keeps apart.
 */
public final class PublicApi {
    private static final byte[] MAGIC = "r8-apidatabase\0\0\0\1".getBytes(StandardCharsets.US_ASCII);

    /** Slots of the two hash tables between the pool's index and the payload; the payload is read in order instead. */
    private static final int HASH_SLOTS = (1 << 17) + (1 << 18);

    /** Bytes of an index entry or hash slot: offset and length. */
    private static final int SLOT = 6;

    private static final int CLASS = 0;
    private static final int FIELD = 1;
    private static final int METHOD = 2;

    /** A public class: the level that brought it, and its members' levels by field name, or method name and descriptor. */
    private static final class Api {
        int since;
        final Map<String, Integer> members = new TreeMap<>();
    }

    public static void main(String[] args) throws IOException {
        Map<String, Api> table = readTable(Path.of(args[0]));
        Path folder = Path.of(args[2]);
        Files.createDirectories(folder.resolve("data"));
        try (JarFile platform = new JarFile(args[1])) {
            writeJar(table, platform, folder.resolve("android.jar"));
        }
        writeLevels(table, folder.resolve("data/api-versions.xml"));
    }

    private static Map<String, Api> readTable(Path r8) throws IOException {
        ByteBuffer data;
        try (JarFile jar = new JarFile(r8.toFile());
                InputStream in = jar.getInputStream(jar.getEntry("resources/api_database.ser"))) {
            data = ByteBuffer.wrap(in.readAllBytes());
        }
        for (byte expected : MAGIC) {
            if (data.get() != expected) throw new IOException("R8's table of the API has another format by now");
        }
        String[] pool = new String[data.getInt()];
        int index = data.position();
        int payload = index + SLOT * (pool.length + HASH_SLOTS);
        for (int i = 0; i < pool.length; i++) {
            int at = payload + data.getInt(index + SLOT * i);
            int length = Short.toUnsignedInt(data.getShort(index + SLOT * i + 4)) - 1;
            pool[i] = new String(data.array(), at, length, StandardCharsets.UTF_8);
        }

        Map<String, Api> table = new TreeMap<>();
        int end = payload + data.getInt(index); // the pool's strings follow the entries
        for (data.position(payload); data.position() < end; ) {
            String[] words = new String[data.getShort() / 2];
            int kind = data.get();
            for (int i = 0; i < words.length; i++) words[i] = pool[Short.toUnsignedInt(data.getShort())];
            int level = data.get() / 2; // twice the level, plus the minor release
            Api owner = table.computeIfAbsent(words[0].substring(1, words[0].length() - 1), name -> new Api());
            switch (kind) {
                case CLASS -> owner.since = level;
                case FIELD -> owner.members.put(words[1], level);
                case METHOD -> owner.members.put(signature(words), level);
                default -> throw new IOException("an entry of kind " + kind + " in R8's table of the API");
            }
        }
        table.values().removeIf(api -> api.since == 0);
        return table;
    }

    /** Words of a method are its owner, its name, its parameters, its result. */
    private static String signature(String[] words) {
        StringBuilder text = new StringBuilder(words[1]).append('(');
        for (int i = 2; i < words.length - 1; i++) text.append(words[i]);
        return text.append(')').append(words[words.length - 1]).toString();
    }

    private static void writeJar(Map<String, Api> table, JarFile platform, Path to) throws IOException {
        Map<String, Set<String>> kept = new HashMap<>();
        for (Map.Entry<String, Api> entry : table.entrySet()) {
            keep(entry.getKey(), entry.getValue().members.keySet(), table, platform, kept);
        }
        try (ZipOutputStream zip = new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(to)))) {
            for (String name : new TreeSet<>(kept.keySet())) {
                ClassWriter writer = new ClassWriter(0);
                Hollow hollow = new Hollow(writer, kept.get(name));
                find(platform, name).accept(hollow, ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG);
                zip.putNextEntry(new ZipEntry(name + ".class"));
                zip.write(writer.toByteArray());
            }
        }
    }

    // A public class may extend a hidden one: that one stays too, with what of it is public through its heirs.
    private static void keep(
            String name, Set<String> members, Map<String, Api> table, JarFile platform, Map<String, Set<String>> kept)
            throws IOException {
        ClassReader found = find(platform, name);
        if (found == null) return;
        // Kotlin finds a class by the one around it.
        int around = name.lastIndexOf('$');
        if (around > 0 && !table.containsKey(name.substring(0, around))) {
            keep(name.substring(0, around), Set.of(), table, platform, kept);
        }
        boolean grew = kept.computeIfAbsent(name, n -> new TreeSet<>()).addAll(members);
        if (!grew && members.isEmpty()) return;
        String parent = found.getSuperName();
        if (parent != null && !table.containsKey(parent)) keep(parent, members, table, platform, kept);
        for (String face : found.getInterfaces()) {
            if (!table.containsKey(face)) keep(face, members, table, platform, kept);
        }
    }

    private static ClassReader find(JarFile platform, String name) throws IOException {
        ZipEntry entry = platform.getEntry(name + ".class");
        try (InputStream in =
                entry != null
                        ? platform.getInputStream(entry)
                        : ClassLoader.getSystemResourceAsStream(name + ".class")) {
            return in == null ? null : new ClassReader(in);
        }
    }

    /** Passes on a class with only the given members, and nothing in its methods. */
    private static final class Hollow extends ClassVisitor {
        private final Set<String> members;
        private String parent;

        Hollow(ClassVisitor next, Set<String> members) {
            super(Opcodes.ASM9, next);
            this.members = members;
        }

        @Override
        public void visit(int version, int access, String name, String generic, String parent, String[] faces) {
            this.parent = parent;
            super.visit(Opcodes.V11, access, name, generic, parent, faces);
        }

        // The JDK's classes are marked with these; classes as old as those written here may not be.
        @Override
        public void visitPermittedSubclass(String name) {}

        @Override
        public void visitNestHost(String name) {}

        @Override
        public void visitNestMember(String name) {}

        @Override
        public FieldVisitor visitField(int access, String name, String type, String generic, Object value) {
            return members.contains(name) ? super.visitField(access, name, type, generic, value) : null;
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String type, String generic, String[] thrown) {
            if (!members.contains(name + type)) return null;
            MethodVisitor method = super.visitMethod(access, name, type, generic, thrown);
            if ((access & (Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE)) != 0) return method;
            return new MethodVisitor(Opcodes.ASM9, method) {
                @Override
                public void visitEnd() {
                    visitCode();
                    if (name.equals("<init>") && parent != null) {
                        visitVarInsn(Opcodes.ALOAD, 0);
                        visitMethodInsn(Opcodes.INVOKESPECIAL, parent, "<init>", "()V", false);
                    }
                    visitInsn(Opcodes.ACONST_NULL);
                    visitInsn(Opcodes.ATHROW);
                    visitMaxs(1, 256); // parameters are few: more slots than any needs
                    super.visitEnd();
                }
            };
        }
    }

    private static void writeLevels(Map<String, Api> table, Path to) throws IOException {
        try (PrintWriter xml = new PrintWriter(Files.newBufferedWriter(to))) {
            xml.println("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<api version=\"3\">");
            table.forEach((name, api) -> {
                xml.printf("<class name=\"%s\" since=\"%d\">%n", name, api.since);
                api.members.forEach((member, since) -> {
                    String kind = member.indexOf('(') < 0 ? "field" : "method";
                    xml.printf("<%s name=\"%s\" since=\"%d\"/>%n", kind, member.replace("<", "&lt;"), since);
                });
                xml.println("</class>");
            });
            xml.println("</api>");
        }
    }
}

// A program that loses handles in the ways that .NET programs do: it keeps the
// objects that own them. Everything is in memory, nothing is closed but what the
// healthy part opens.
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;

namespace Orders {
	/// Entries that nobody evicts; each has an event.
	public sealed class Cache {
		readonly List<Entry> entries = new List<Entry>();

		public void Add(int n) {
			entries.Add(new Entry { Key = "order-" + n, Done = new EventWaitHandle(false, EventResetMode.ManualReset) });
		}

		internal sealed class Entry {
			public string Key;
			public EventWaitHandle Done;
			public long Touched = 1;
		}
	}

	/// A class in a generic class: its pages hold mutexes.
	public sealed class Ledger<T> {
		readonly LinkedList<Page> pages = new LinkedList<Page>();

		public void Add(T key) {
			pages.AddLast(new Page { Key = key, Gate = new Mutex(false, null) });
		}

		internal sealed class Page {
			public T Key;
			public Mutex Gate;
		}
	}

	/// The value of a handle in a field, without a SafeHandle.
	public sealed class Ticket {
		public string Name;
		public int Number;
		public IntPtr Semaphore;

		[DllImport("kernel32", SetLastError = true)]
		static extern IntPtr CreateSemaphoreW(IntPtr security, int count, int max, string name);

		public static Ticket Open(int n) {
			return new Ticket { Name = "ticket", Number = n, Semaphore = CreateSemaphoreW(IntPtr.Zero, 0, 1, null) };
		}
	}

	/// A handle of one's own class, as libraries have them.
	public sealed class KeyHandle : SafeHandle {
		[DllImport("advapi32", CharSet = CharSet.Unicode)]
		static extern int RegOpenKeyExW(IntPtr root, string path, int options, int access, out IntPtr key);
		[DllImport("advapi32")]
		static extern int RegCloseKey(IntPtr key);

		KeyHandle(IntPtr key) : base(IntPtr.Zero, true) { SetHandle(key); }

		public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

		protected override bool ReleaseHandle() { return RegCloseKey(handle) == 0; }

		public static KeyHandle Open() {
			IntPtr key;
			if (RegOpenKeyExW((IntPtr)unchecked((int)0x80000002), "Software", 0, 0x20019, out key) != 0)
				throw new InvalidOperationException();
			return new KeyHandle(key);
		}
	}

	public sealed class Setting {
		public int Number;
		public KeyHandle Key;
	}

	/// Files stay open until the program ends.
	public sealed class Journal {
		public FileStream Stream;
		public Journal Next;
	}

	static class Program {
		static readonly Cache cache = new Cache();
		static readonly Ledger<long> ledger = new Ledger<long>();
		static readonly List<Ticket> tickets = new List<Ticket>();
		static readonly Dictionary<int, Setting> settings = new Dictionary<int, Setting>();
		static Journal journals;

		[DllImport("snapshot", CharSet = CharSet.Unicode)]
		static extern bool Snapshot(string path);

		static void Healthy() {
			using (var done = new ManualResetEvent(false))
				if (done.WaitOne(0))
					throw new InvalidOperationException();
		}

		internal static int Main() {
			for (int n = 0; n < 300; n++) {
				cache.Add(n);
				Healthy();
				if (n % 2 == 0)
					ledger.Add(n);
				if (n % 3 == 0)
					tickets.Add(Ticket.Open(n));
				if (n % 4 == 0)
					settings.Add(n, new Setting { Number = n, Key = KeyHandle.Open() });
				if (n % 5 == 0)
					journals = new Journal {
						Stream = new FileStream("orders.log", FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite),
						Next = journals
					};
				if (n % 100 == 50)
					GC.Collect();
			}
			return Snapshot("full.dmp") ? 0 : 1;
		}
	}
}

/// What runs before the Main of a program that .NET starts with DOTNET_STARTUP_HOOKS.
internal static class StartupHook {
	[DllImport("kernel32")]
	static extern void ExitProcess(int code);

	public static void Initialize() {
		ExitProcess(Orders.Program.Main());
	}
}

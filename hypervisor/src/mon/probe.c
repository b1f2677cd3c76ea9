/* --probe; see probe.h. */
#include "mon/probe.h"

#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/console.h"

void probe_page(void)
{
    print("hv: probe of hart %lu\n", cpu_self()->hartid);
    print("hv:  isa        %s\n", machine.isa);
    print("hv:  hedeleg    0x%lx\n", csr_read(CSR_HEDELEG));
    print("hv:  hideleg    0x%lx\n", csr_read(CSR_HIDELEG));
    print("hv:  henvcfg    %s0x%lx\n", features.has_henvcfg ? "" : "absent ", features.henvcfg);
    print("hv:  hstateen0  %s0x%lx\n", features.has_hstateen ? "" : "absent ", features.hstateen0);
    print("hv:  G stage    Sv39x4%s, %u bits of VMID\n", features.sv48x4 ? " Sv48x4" : "",
          features.vmid_bits);
    print("hv:  VS stage   up to %s\n", feature_mmu_type());
    print("hv:  Sstc       guest %s, host %s\n", features.sstc ? "yes" : "no",
          features.host_sstc ? "yes" : "no");
    print("hv:  vector     %s, %lu bytes a register\n", features.vector ? "yes" : "no",
          features.vlenb);
    firmware_shutdown(false);
}
